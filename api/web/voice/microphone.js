// The microphone: frames of what is said, and why there are none.

/** What is wrong, by the name of the browser's error. */
const WORDS = {
  NotFoundError: "No microphone was found.",
  NotAllowedError: "The browser does not let this page use the microphone. Allow it in the page's settings.",
  NotReadableError: "The microphone is in use by another program, or broken.",
};
const INSECURE = "Browsers give the microphone only to pages over https, or of this machine.";

/** Opens the microphone. `onFrame(samples)` is called every 20 ms. Throws an Error with words for people. */
export async function openMicrophone(context, onFrame) {
  if (!navigator.mediaDevices || !context.audioWorklet) throw new Error(INSECURE);
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true } });
  } catch (error) {
    throw new Error(WORDS[error.name] ?? `The microphone cannot be used: ${error.message}`);
  }
  const [track] = stream.getAudioTracks();
  try {
    await context.audioWorklet.addModule(new URL("capture.js", import.meta.url));
  } catch (error) {
    track.stop();
    throw error;
  }
  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, "capture");
  node.port.onmessage = ({ data }) => onFrame(data);
  // What is not connected is not run; it gives silence.
  source.connect(node).connect(context.destination);
  return {
    /** `lost` is called when the microphone is unplugged, or taken away. */
    onLost: (lost) => track.addEventListener("ended", lost),
    close: () => {
      track.stop();
      source.disconnect();
      node.disconnect();
    },
  };
}
