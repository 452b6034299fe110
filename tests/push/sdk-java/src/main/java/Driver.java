import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.centrifugal.centrifuge.Client;
import io.github.centrifugal.centrifuge.ConnectedEvent;
import io.github.centrifugal.centrifuge.ConnectingEvent;
import io.github.centrifugal.centrifuge.ConnectionTokenEvent;
import io.github.centrifugal.centrifuge.ConnectionTokenGetter;
import io.github.centrifugal.centrifuge.DisconnectedEvent;
import io.github.centrifugal.centrifuge.ErrorEvent;
import io.github.centrifugal.centrifuge.EventListener;
import io.github.centrifugal.centrifuge.HistoryOptions;
import io.github.centrifugal.centrifuge.HistoryResult;
import io.github.centrifugal.centrifuge.Options;
import io.github.centrifugal.centrifuge.PresenceResult;
import io.github.centrifugal.centrifuge.PresenceStatsResult;
import io.github.centrifugal.centrifuge.Publication;
import io.github.centrifugal.centrifuge.ReplyError;
import io.github.centrifugal.centrifuge.ResultCallback;
import io.github.centrifugal.centrifuge.ServerPublicationEvent;
import io.github.centrifugal.centrifuge.ServerSubscribedEvent;
import io.github.centrifugal.centrifuge.TokenCallback;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/** Drives the unmodified Java SDK: commands as JSON lines on stdin, what happens as JSON lines on stdout. */
public final class Driver extends EventListener {
  private static final Gson GSON = new Gson().newBuilder().serializeNulls().create();
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private static JsonObject event(String kind) {
    JsonObject event = new JsonObject();
    event.addProperty("e", kind);
    return event;
  }

  private static synchronized void say(JsonObject event) {
    OUT.println(GSON.toJson(event));
  }

  private static JsonElement read(byte[] data) {
    return JsonParser.parseString(new String(data, StandardCharsets.UTF_8));
  }

  private static byte[] write(JsonElement data) {
    return GSON.toJson(data).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void onConnecting(Client client, ConnectingEvent e) {
    JsonObject event = event("connecting");
    event.addProperty("code", e.getCode());
    say(event);
  }

  @Override
  public void onConnected(Client client, ConnectedEvent e) {
    JsonObject event = event("connected");
    event.add("data", read(e.getData()));
    say(event);
  }

  @Override
  public void onDisconnected(Client client, DisconnectedEvent e) {
    JsonObject event = event("disconnected");
    event.addProperty("code", e.getCode());
    event.addProperty("reason", e.getReason());
    say(event);
  }

  @Override
  public void onError(Client client, ErrorEvent e) {
    JsonObject event = event("error");
    event.addProperty("error", String.valueOf(e.getError()));
    say(event);
  }

  @Override
  public void onSubscribed(Client client, ServerSubscribedEvent e) {
    // The SDK keeps the position to itself.
    JsonObject event = event("subscribed");
    event.addProperty("recovering", e.wasRecovering());
    event.addProperty("recovered", e.getRecovered());
    say(event);
  }

  @Override
  public void onPublication(Client client, ServerPublicationEvent e) {
    JsonObject event = event("pub");
    event.add("data", read(e.getData()));
    event.addProperty("offset", e.getOffset());
    say(event);
  }

  private static Options options(JsonObject asked) {
    Options options = new Options();
    options.setToken(asked.get("token").getAsString());
    options.setMinReconnectDelay(50);
    options.setMaxReconnectDelay(300);
    if (asked.has("data") && !asked.get("data").isJsonNull()) {
      options.setData(write(asked.get("data")));
    }
    if (asked.has("renewals")) {
      // Each token once, the last one from then on.
      Deque<String> renewals = new ArrayDeque<>();
      asked.getAsJsonArray("renewals").forEach(one -> renewals.add(one.getAsString()));
      options.setTokenGetter(new ConnectionTokenGetter() {
        @Override
        public void getConnectionToken(ConnectionTokenEvent e, TokenCallback callback) {
          say(event("asked"));
          callback.Done(null, renewals.size() > 1 ? renewals.remove() : renewals.peek());
        }
      });
    }
    return options;
  }

  private static <T> T wait(Consumer<ResultCallback<T>> call) {
    CompletableFuture<T> found = new CompletableFuture<>();
    call.accept((error, result) -> {
      if (error != null) {
        found.completeExceptionally(error);
      } else {
        found.complete(result);
      }
    });
    return found.join();
  }

  private static JsonObject all(Client client, String channel) {
    PresenceResult presence = Driver.<PresenceResult>wait(done -> client.presence(channel, done));
    PresenceStatsResult stats = Driver.<PresenceStatsResult>wait(done -> client.presenceStats(channel, done));
    HistoryOptions ten = new HistoryOptions.Builder().withLimit(10).build();
    HistoryResult history = Driver.<HistoryResult>wait(done -> client.history(channel, ten, done));
    JsonArray texts = new JsonArray();
    for (Publication one : history.getPublications()) {
      texts.add(read(one.getData()).getAsJsonObject().getAsJsonObject("data").get("text"));
    }
    JsonObject found = new JsonObject();
    found.addProperty("clients", presence.getClients().size());
    found.addProperty("numClients", stats.getNumClients());
    found.addProperty("numUsers", stats.getNumUsers());
    found.add("history", texts);
    return found;
  }

  private static void perform(Client client, JsonObject asked) {
    JsonObject event = event("rpc");
    event.add("id", asked.get("id"));
    try {
      JsonElement result = JsonNull.INSTANCE;
      switch (asked.get("do").getAsString()) {
        case "rpc" -> {
          String method = asked.get("method").getAsString();
          byte[] data = write(asked.get("data"));
          result = read(Driver.<io.github.centrifugal.centrifuge.RPCResult>wait(
              done -> client.rpc(method, data, done)).getData());
        }
        case "read" -> result = all(client, asked.get("channel").getAsString());
        case "send" -> Driver.<Void>wait(
            done -> client.send(write(asked.get("data")), error -> done.onDone(error, null)));
        case "connect" -> client.connect();
        default -> throw new IllegalArgumentException(asked.toString());
      }
      event.add("data", result);
    } catch (CompletionException failed) {
      JsonObject error = new JsonObject();
      Throwable cause = failed.getCause();
      error.addProperty("code", cause instanceof ReplyError refused ? refused.getCode() : 0);
      error.addProperty("message", cause.getMessage());
      event.add("error", error);
    }
    say(event);
  }

  public static void main(String[] arguments) throws Exception {
    JsonObject asked = JsonParser.parseString(arguments[0]).getAsJsonObject();
    Client client = new Client(asked.get("url").getAsString(), options(asked), new Driver());
    client.connect();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonObject next = JsonParser.parseString(line).getAsJsonObject();
      if (next.get("do").getAsString().equals("stop")) {
        break;
      }
      new Thread(() -> perform(client, next)).start();
    }
    client.close(1000);
    // Threads of its HTTP client live on for a minute.
    System.exit(0);
  }
}
