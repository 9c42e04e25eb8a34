package dev.tidestream.server.cli;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@code chat} with input from a pipe. */
class ChatIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    private static Run chat(String input, String... args) {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
            return Run.of(args);
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void shouldRefuseAModelWithoutAChatTemplate() {
        assertEquals(new Run(1, "", "tidestream: starter-q8_0.gguf has no chat template, so it cannot tell who says what: give one with"
                + " --chat-template FILE, or --raw to have it continue your text\n"), chat("hello\n", "chat"));
    }

    @Test
    void shouldContinueText() {
        Run raw = chat("Once upon\n", "chat", "--raw", "-n", "4", "--temperature", "0");
        assertEquals(new Run(0, " a time there was\n", ""), raw);
        Run generated = Run.of("generate", "--prompt", "Once upon\n a time there was\nThen", "-n", "4", "--temperature=0");
        assertEquals(" a time there was\n" + generated.out(),
                chat("Once upon\n\nThen", "chat", "--raw", "-n", "4", "--temperature", "0").out(), "what was said goes before");
    }

    @Test
    void shouldUseTheTemplateOfAFile() throws Exception {
        Path template = Files.writeString(folder.resolve("t.jinja"), "{% for m in messages %}{{ m.content }}{% endfor %}");
        assertEquals(new Run(0, " a time there was\n", ""),
                chat("Once upon\n", "chat", "--chat-template", template.toString(), "-n", "4", "--temperature", "0"));
        Files.writeString(template, "{{ raise_exception('no user: ' + messages[0].role) }}");
        Run refused = chat("Once upon\n", "chat", "--chat-template", template.toString());
        assertEquals(1, refused.code());
        assertTrue(refused.err().contains("no user: user"), refused.err());
    }

    @Test
    void shouldPrintAnObjectPerAnswer() throws Exception {
        String model = SharedData.path("golden/models/qwen2/hf").toString();
        String[] args = {"chat", "-m", model, "-n", "3", "--temperature", "0", "--seed", "4", "--json", "--system", "s"};
        Run plain = chat("a\nb\n", args);
        assertEquals(0, plain.code(), plain.err());
        List<String> lines = plain.out().lines().toList();
        assertEquals(2, lines.size());
        JsonNode first = JSON.readTree(lines.getFirst());
        JsonNode second = JSON.readTree(lines.getLast());
        assertEquals("length", first.get("finish_reason").asText());
        assertEquals(4, first.get("seed").asLong());
        assertEquals(1, first.get("weights_version").asLong());
        assertEquals(3, second.get("completion_tokens").asInt());
        assertTrue(second.get("prompt_tokens").asInt() > first.get("prompt_tokens").asInt() + 3);
        int control = JSON.readTree(chat("<|im_end|>\n", args).out()).get("prompt_tokens").asInt();
        assertTrue(control > first.get("prompt_tokens").asInt() + 3, "the user's text is text: prompt_tokens=" + control);
    }

    @Test
    void shouldSayThatTheConversationIsTooLong() {
        Run run = chat("word ".repeat(600) + "\n", "chat", "--raw");
        assertEquals(1, run.code());
        assertTrue(run.err().matches("tidestream: the conversation is too long: tokens=\\d+, context=512\n"), run.err());
    }

    @Test
    void shouldRefuseWrongUsage() {
        for (String[] args : new String[][] {
            {"chat", "--url", "http://h", "--raw"}, {"chat", "--api-key-file", "x"}, {"chat", "--url", "ftp://h"},
            {"chat", "--temperature", "101"}, {"chat", "--raw", "--chat-template", "x"}, {"chat", "word"}}) {
            assertEquals(2, chat("", args).code(), String.join(" ", args));
        }
        assertTrue(Run.of("chat", "--help").out().contains("Examples:"));
    }
}
