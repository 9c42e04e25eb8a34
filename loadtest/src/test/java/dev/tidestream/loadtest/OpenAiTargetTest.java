package dev.tidestream.loadtest;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;

import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** OpenAI's wires, against a server that says what it is told to. */
class OpenAiTargetTest {
    private final StringWriter said = new StringWriter();

    private void has(String text) {
        assertTrue(said.toString().contains(text), said.toString());
    }

    @Test
    void shouldMeasureCompletions() {
        String chunk = "data: {\"id\":\"1\",\"object\":\"text_completion\",\"choices\":[{\"text\":\"%s\",\"finish_reason\":%s}]}\n\n";
        String second = chunk.formatted("b", "null");
        try (SsePeer peer = SsePeer.saying(chunk.formatted("a", "null"), second.substring(0, 9), second.substring(9),
                chunk.formatted("c", "null"), chunk.formatted("", "\"length\""),
                "data: {\"id\":\"1\",\"object\":\"text_completion\",\"choices\":[],\"usage\":"
                        + "{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8}}\n\n", "data: [DONE]\n\n")) {
            assertEquals(0, peer.run(said, "--requests", "4", "--concurrency", "2", "--prompt-tokens", "5", "--output-tokens",
                    "3"),
                    said.toString());
            has("requests    4: finished 4, failed 0");
            has("tokens      12;");
            has("none was broken");
            assertEquals(4, peer.bodies().size());
            assertTrue(peer.bodies().getFirst()
                    .matches(".*\"model\":\"peer\",\"prompt\":\\[\\d+(,\\d+){4}].*\"max_tokens\":3.*\"stream\":true.*"),
                    peer.bodies().getFirst());
        }
    }

    @Test
    void shouldMeasureChats(@TempDir Path folder) throws Exception {
        Path out = folder.resolve("out.json");
        try (SsePeer peer = SsePeer.saying(SsePeer.joined(SsePeer.chat("Hi", " you"), SsePeer.chatEnd(4))
                .toArray(String[]::new))) {
            assertEquals(0, peer.run(said, "--api", "chat", "--requests", "4", "-c", "2", "--output-tokens", "4", "--out",
                    out.toString()),
                    said.toString());
            assertTrue(peer.bodies().getFirst()
                    .matches("\\{\"model\":\"peer\",\"messages\":\\[\\{\"role\":\"user\",\"content\":\"[a-z ]+\"}],"
                    + "\"temperature\":1.0,\"max_completion_tokens\":4,\"stream\":true,"
                    + "\"stream_options\":\\{\"include_usage\":true},\"seed\":\\d+}"),
                    peer.bodies().getFirst());
        }
        RunReport report = JsonReport.read(out);
        assertEquals("openai chat", report.settings().get("wire"));
        assertEquals(16, report.steps().getFirst().figures().tokens()); // 2 of 4 came as events, the usage tells of the others
        assertEquals(List.of(), report.steps().getFirst().figures().versions());
        assertEquals(4, report.steps().getFirst().figures().itl().count());
    }

    @Test
    void shouldMeasureResponses() {
        try (SsePeer peer = SsePeer.saying(SsePeer.response().toArray(String[]::new))) {
            assertEquals(0, peer.run(said, "--api", "responses", "--requests", "3", "--output-tokens", "2"), said.toString());
            has("tokens      6;");
            has("events are numbered");
            assertTrue(peer.bodies().getFirst().endsWith("\"temperature\":1.0,\"max_output_tokens\":2,\"store\":false,\"stream\":true}"),
                    peer.bodies().getFirst());
        }
    }

    /** Fields beyond OpenAI's go to servers that are known to have them. */
    @Test
    void shouldAskOurServersForMore() {
        String own = SsePeer.chatChunk("{\"content\":\"x\"}", "null").replace("\"finish_reason\":null}]",
                "\"finish_reason\":null,\"token_ids\":[7,8]}],\"tidestream\":{\"weights_version\":3,\"seq\":1,\"token\":8}");
        SsePeer.Script script = (response, _) -> SsePeer.sent(response,
                SsePeer.joined(List.of(SsePeer.chat().getFirst(), own), SsePeer.chatEnd(2)));
        try (SsePeer peer = new SsePeer("somebody", script)) {
            assertEquals(0, peer.run(said, "--api", "chat", "--requests", "2"), said.toString());
            assertFalse(peer.bodies().getFirst().contains("return_token_ids"), peer.bodies().getFirst());
            assertTrue(peer.bodies().getLast().contains("\"return_token_ids\":true"), peer.bodies().getLast());
            has("weights     versions 3 to 3");
        }
        try (SsePeer peer = new SsePeer("tidestream", (response, _) -> SsePeer.sent(response, SsePeer.response()))) {
            assertEquals(0, peer.run(said, "--api", "responses", "--requests", "1", "--suppress-token", "9"), said.toString());
            assertTrue(peer.bodies().getFirst().matches(".*\"seed\":\\d+,\"logit_bias\":\\{\"9\":-100}.*"),
                    peer.bodies().getFirst());
        }
    }

    @Test
    void shouldGoOnWithConversationsAsMessages() {
        try (SsePeer peer = SsePeer.saying(SsePeer.joined(SsePeer.chat("Hi", " you"), SsePeer.chatEnd(2))
                .toArray(String[]::new))) {
            assertEquals(0, peer.run(said, "--api", "chat", "--requests", "2", "--turns", "2", "--prompt-tokens", "1",
                    "--turn-tokens", "1"),
                    said.toString());
            assertTrue(peer.bodies().getLast().matches(".*\"messages\":\\[\\{\"role\":\"user\",\"content\":\"[a-z]+\"},"
                    + "\\{\"role\":\"assistant\",\"content\":\"Hi you\"},\\{\"role\":\"user\",\"content\":\"[a-z]+\"}].*"),
                            peer.bodies().getLast());
        }
    }

    @Test
    void shouldTellTheKeyToNobodyElse(@TempDir Path folder) throws Exception {
        Path key = Files.writeString(folder.resolve("key"), " sk-secret\n");
        Path out = folder.resolve("out.json");
        try (SsePeer peer = SsePeer.saying(SsePeer.response().toArray(String[]::new))) {
            assertEquals(0, peer.run(said, "--api", "responses", "--requests", "1", "--api-key-file", key.toString(), "--out",
                    out.toString()),
                    said.toString());
            assertEquals(List.of("Bearer sk-secret", "Bearer sk-secret"), peer.keys());
        }
        assertFalse((said + Files.readString(out)).contains("sk-secret"), said.toString());
        Files.writeString(key, "two words\n");
        try (SsePeer peer = SsePeer.saying()) {
            assertEquals(1, peer.run(said, "--api-key-file", key.toString()));
            has("loadtest: no key in " + key + ": must be one word of visible ASCII characters: characters=9\n");
        }
    }

    @Test
    void shouldLeaveAndReadSlowly() throws Exception {
        for (String fault : List.of("cancel", "vanish")) {
            try (SsePeer peer = SsePeer.endless(SsePeer.chatChunk("{\"role\":\"assistant\",\"content\":\"x\"}", "null"))) {
                int exitCode = peer.run(said, "--api", "chat", "--requests", "3", "-c", "3", "--faults", fault + "=1");
                assertEquals(1, exitCode); // nothing came to its end
                has(fault.equals("cancel") ? "cancelled 3, vanished 0" : "cancelled 0, vanished 3");
                assertTrue(peer.left().tryAcquire(3, 60, TimeUnit.SECONDS), "the server goes on for clients that have left: "
                        + said);
            }
        }
        try (SsePeer peer = SsePeer.saying(SsePeer.joined(SsePeer.chat("a", "b", "c"), SsePeer.chatEnd(3))
                .toArray(String[]::new))) {
            assertEquals(0, peer.run(said, "--api", "chat", "--requests", "2", "-c", "2", "--output-tokens", "3", "--faults",
                    "slow=1"),
                    said.toString());
            has("requests    2: finished 2, failed 0");
        }
    }

    @Test
    void shouldAskAgain() {
        AtomicInteger asked = new AtomicInteger();
        String[] args = {"--api", "chat", "--requests", "20", "--repeats", "0.5", "--output-tokens", "2"};
        try (SsePeer peer = SsePeer.saying(SsePeer.joined(SsePeer.chat("a", "b"), SsePeer.chatEnd(2)).toArray(String[]::new))) {
            assertEquals(0, peer.run(said, args), said.toString());
            has("the same prompt and seed give the same text again");
            assertTrue(peer.bodies().stream().distinct().count() < 20, "each asks something else: " + peer.bodies());
        }
        try (SsePeer peer = new SsePeer("somebody", (response, _) -> SsePeer.sent(response,
                SsePeer.joined(SsePeer.chat("a", "b" + asked.incrementAndGet()), SsePeer.chatEnd(2))))) {
            assertEquals(1, peer.run(said, args), said.toString());
            has("another text with the same prompt and seed: seed=");
            has("the first difference at 2");
        }
    }

    @Test
    void shouldWantWordsForConversations(@TempDir Path folder) throws Exception {
        Path prompts = Files.writeString(folder.resolve("p.jsonl"), "{\"tokens\":[4,8]}\n");
        try (SsePeer peer = new SsePeer("somebody", (_, _) -> Mono.empty())) {
            assertEquals(1, peer.run(said, "--api", "chat", "--prompts", prompts.toString()));
            has("loadtest: " + prompts + " has token ids, and a conversation is text\n");
            assertEquals(2, peer.run(said, "--api", "chat", "--credit", "paced:5"));
            assertEquals(2, peer.run(said, "--api", "telegraph"));
            has("loadtest: --api must be chat, completions, responses or responses-ws: 'telegraph', for example --api chat");
        }
    }
}
