package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Responses over WebSocket lanes, against a server that says what it is told to. */
class LaneTargetTest {
    private static final Pattern LANE = Pattern.compile("\"stream_id\":\"([^\"]+)\"");

    private final StringWriter said = new StringWriter();
    private final List<String> messages = new CopyOnWriteArrayList<>();
    private final Set<String> lanes = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> running = new ConcurrentHashMap<>();
    private final Map<String, Integer> busy = new ConcurrentHashMap<>(); // responses under way, by lane
    private final AtomicInteger mostOfALane = new AtomicInteger();
    private final AtomicInteger mostLanes = new AtomicInteger();
    private DisposableServer server = HttpServer.create().host("127.0.0.1").port(0).route(_ -> { }).bindNow(); // 404 to all

    /** @param answer messages of the server for a message of the client on a lane, 2 ms apart */
    private void serve(BiFunction<String, String, List<String>> answer) {
        server.disposeNow();
        server = HttpServer.create().host("127.0.0.1").port(0).route(routes -> routes
                .get("/v1/models", (_, response) -> response.sendString(Mono.just(
                        "{\"data\":[{\"id\":\"peer\",\"owned_by\":\"tidestream\"}]}")))
                .ws("/v1/responses", (in, out) -> out.sendString(in.receive().asString().flatMap(message -> {
                    messages.add(message);
                    Matcher matcher = LANE.matcher(message);
                    assertTrue(matcher.find(), message);
                    String lane = matcher.group(1);
                    lanes.add(lane);
                    if (message.contains("response.create")) {
                        mostOfALane.accumulateAndGet(busy.merge(lane, 1, Integer::sum), Math::max);
                        mostLanes.accumulateAndGet((int) busy.values().stream().filter(count -> count > 0).count(), Math::max);
                    }
                    return Flux.fromIterable(answer.apply(lane, message)).concatMap(text ->
                            Mono.just(text).delayElement(Duration.ofMillis(2)).doOnNext(_ -> {
                                if (text.contains("\"response.completed\"")) { // it is not out yet, so nobody can have answered it
                                    busy.merge(lane, -1, Integer::sum);
                                }
                            }));
                }, 64)))).bindNow();
    }

    /** The events of {@link SsePeer#response}, as messages of a lane. */
    private static List<String> response(String lane) {
        List<String> events = new ArrayList<>();
        for (String event : SsePeer.response()) {
            String json = event.substring(event.indexOf('{')).strip();
            events.add(json.substring(0, json.length() - 1) + ",\"stream_id\":\"" + lane + "\"}");
        }
        return events;
    }

    private int run(String... args) {
        List<String> all = new ArrayList<>(List.of("--target", "openai", "--api", "responses-ws", "--url", "http://127.0.0.1:"
                + server.port(),
                "--warmup", "0s", "--output-tokens", "2"));
        all.addAll(List.of(args));
        return Main.run(new PrintWriter(said), new PrintWriter(said), all.toArray(String[]::new));
    }

    private void has(String text) {
        assertTrue(said.toString().contains(text), said.toString());
    }

    @AfterEach
    void close() {
        server.disposeNow();
    }

    @Test
    void shouldMeasureLanesSideBySide() {
        serve((lane, _) -> response(lane));
        assertEquals(0, run("--requests", "40", "-c", "8"), said.toString());
        has("requests    40: finished 40, failed 0");
        has("tokens      80;");
        has("none was broken");
        assertEquals(1, mostOfALane.get(), "at once on a lane");
        assertTrue(mostLanes.get() > 1, "lanes at once: " + mostLanes);
        assertTrue(lanes.size() >= 8 && lanes.size() <= 16, "lanes: " + lanes);
        assertTrue(messages.getFirst()
                .matches("\\{\"model\":\"peer\",\"input\":\\[\\{\"role\":\"user\",\"content\":\"[a-z ]+\"}],\"temperature\":1.0,"
                + "\"max_output_tokens\":2,\"store\":false,\"seed\":\\d+,\"type\":\"response.create\",\"stream_id\":\"lane-0\"}"),
                messages.getFirst());
    }

    @Test
    void shouldCountErrorsOfLanesAndOfTheConnection() {
        serve((lane, _) -> List.of(("{\"type\":\"error\",\"status\":400,\"stream_id\":\"%s\",\"error\":{\"type\":\"invalid_request_error\","
                + "\"code\":\"previous_response_not_found\",\"message\":\"not found\",\"param\":null}}").formatted(lane)));
        assertEquals(1, run("--requests", "2"));
        has("previous_response_not_found: not found");
        serve((_, _) -> List.of("{\"type\":\"error\",\"status\":400,\"error\":{\"code\":\"websocket_connection_limit_reached\","
                + "\"message\":\"enough\"}}"));
        assertEquals(1, run("--requests", "2"));
        has("websocket_connection_limit_reached: enough");
    }

    @Test
    void shouldCatchWhatBreaksTheWire() {
        serve((lane, _) -> {
            List<String> events = response(lane);
            events.add(events.getLast());
            return events;
        });
        assertEquals(1, run("--requests", "5"));
        has("an event of no lane that runs: {\"type\":\"response.completed\"");
        serve((lane, _) -> List.of("{\"stream_id\":\"" + lane));
        assertEquals(1, run("--requests", "1", "--stall", "1s", "--drain", "1s"));
        has("a message that is not JSON: {\"stream_id\":\"lane-0");
    }

    /** A lane that ends with such an error is free again: a connection has sixteen of them. */
    @Test
    void shouldGoOnWithALaneWhoseErrorHasNoType() {
        serve((lane, _) -> List.of("{\"stream_id\":\"%s\",\"error\":{\"code\":\"overloaded\",\"message\":\"later\"}}".formatted(lane)));
        assertEquals(1, run("--requests", "40"), said.toString()); // nothing was measured
        has("finished 0, failed 40");
        has("overloaded: later");
        has("none was broken");
    }

    @Test
    void shouldReadTheLongTextAtTheEndOfAResponse() {
        serve((lane, _) -> {
            List<String> events = response(lane);
            events.set(5, events.get(5).replace("\"id\":\"r1\"",
                    "\"id\":\"r1\",\"instructions\":\"" + "x".repeat(6 << 20) + "\""));
            return events;
        });
        assertEquals(0, run("--requests", "1"), said.toString());
    }

    @Test
    void shouldNotWaitForAServerThatDoesNotAnswerAnUpgrade() {
        server.disposeNow();
        server = HttpServer.create().host("127.0.0.1").port(0).route(routes -> routes
                .get("/v1/models", (_, response) -> response.sendString(Mono.just("{\"data\":[{\"id\":\"peer\"}]}")))
                .get("/v1/responses", (_, _) -> Mono.never())).bindNow();
        assertEquals(1, run("--requests", "1", "--connect-timeout", "300ms"));
        has("no WebSocket within 300 ms (--connect-timeout)");
    }

    @Test
    void shouldGrantCreditAndCancel() {
        serve((lane, message) -> {
            List<String> all = response(lane);
            if (message.contains("response.create")) {
                running.put(lane, 1);
                return all.subList(0, 3);
            }
            return running.remove(lane) == null ? List.of() : all.subList(3, 6); // more may be granted before the end is heard
        });
        assertEquals(0, run("--requests", "3", "--credit", "paced:50"), said.toString());
        assertTrue(messages.getFirst().contains("\"tidestream\":{\"credit\":1}"), messages.getFirst());
        assertTrue(messages.get(1).matches("\\{\"type\":\"tidestream.credit\",\"n\":\\d+,\"stream_id\":\"lane-0\"}"),
                messages.get(1));
        messages.clear();
        serve((lane, message) -> {
            List<String> all = response(lane);
            return message.contains("response.create") ? all.subList(0, 3)
                    : List.of(all.getLast().replace("\"sequence_number\":5", "\"sequence_number\":3"));
        });
        assertEquals(1, run("--requests", "2", "--faults", "cancel=1")); // nothing came to its own end
        has("cancelled 2, vanished 0");
        assertEquals("{\"type\":\"response.cancel\",\"stream_id\":\"lane-0\"}", messages.get(1));
    }

    @Test
    void shouldSayThatAServerHasNoSockets() {
        assertEquals(1, run("--requests", "1", "--model", "x"));
        has("cannot connect to openai responses-ws ws://127.0.0.1:" + server.port() + "/v1/responses");
    }
}
