// `Message` of schemas/proto/core_service.proto as protobuf, by hand: three fields, and unknown ones are passed over.

/** Field and kind of each tag: user_id (varint), timestamp (varint), data (bytes). */
const USER = 0x08;
const TIMESTAMP = 0x10;
const DATA = 0x1a;
/** How long a varint of 64 bits is at most, in bytes. */
const VARINT_BYTES = 10;

/** The message as bytes, without `user_id`, which the server sets. `timestamp`: a whole number below 2^53. */
export function encode({ timestamp, data }) {
  const head = [TIMESTAMP, ...varint(timestamp), DATA, ...varint(data.length)];
  const bytes = new Uint8Array(head.length + data.length);
  bytes.set(head);
  bytes.set(data, head.length);
  return bytes;
}

/** `{ user, timestamp, data }` of a message's bytes. Throws a RangeError for what is none. */
export function decode(bytes) {
  const found = { user: 0, timestamp: 0, data: new Uint8Array() };
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === USER) found.user = reader.varint();
    else if (tag === TIMESTAMP) found.timestamp = reader.varint();
    else if (tag === DATA) found.data = reader.bytes(reader.varint());
    else reader.skip(tag & 7);
  }
  return found;
}

/** The bytes of a whole number. In parts, as bit operators have 32 bits only. */
function varint(value) {
  const bytes = [];
  while (value > 127) {
    bytes.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

class Reader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  get done() {
    return this.#at >= this.#bytes.length;
  }

  varint() {
    let value = 0;
    for (let place = 0; place < VARINT_BYTES; place += 1) {
      const [byte] = this.bytes(1);
      value += (byte & 127) * 128 ** place;
      if (byte < 128) return value;
    }
    throw new RangeError(`expected a varint of at most ${VARINT_BYTES} bytes, got a longer one`);
  }

  bytes(count) {
    const left = this.#bytes.length - this.#at;
    if (count > left) throw new RangeError(`expected ${count} more bytes, got ${left}`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** Passes over a field of another kind: varint, 64 bits, bytes, 32 bits. */
  skip(kind) {
    if (kind === 0) this.varint();
    else if (kind === 1) this.bytes(8);
    else if (kind === 2) this.bytes(this.varint());
    else if (kind === 5) this.bytes(4);
    else throw new RangeError(`expected a field of kind 0, 1, 2 or 5, got ${kind}`);
  }
}
