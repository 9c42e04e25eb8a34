package dev.tidestream.server.chat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ChatTemplatesTest {
    @TempDir
    private Path folder;

    private void write(String name, String text) throws IOException {
        Files.createDirectories(folder.resolve(name).getParent());
        Files.writeString(folder.resolve(name), text);
    }

    @Test
    void shouldReadThemFromAFolder() throws IOException {
        assertTrue(ChatTemplates.ofFolder(folder).isEmpty());
        write("tokenizer_config.json", "{\"chat_template\": \"one\"}");
        assertEquals(Map.of("default", "one"), ChatTemplates.ofFolder(folder).byName());
        write("tokenizer_config.json", "{\"chat_template\": [{\"name\": \"default\", \"template\": \"d\"}, {\"name\": "
                + "\"tool_use\", \"template\": \"t\"}]}");
        assertEquals(Map.of("default", "d", "tool_use", "t"), ChatTemplates.ofFolder(folder).byName());
        write("chat_template.jinja", "j");
        write("additional_chat_templates/rag.jinja", "r");
        assertEquals(Map.of("default", "j", "tool_use", "t", "rag", "r"), ChatTemplates.ofFolder(folder).byName());
        assertEquals(Map.of("default", "j"), ChatTemplates.ofFile(folder.resolve("chat_template.jinja")).byName());
    }

    @Test
    void shouldRefuseWhatIsNoTemplate() throws IOException {
        for (String config : List.of("{\"chat_template\": 5}", "{\"chat_template\": [{\"name\": \"x\"}]}", "[]", "{")) {
            write("tokenizer_config.json", config);
            assertThrows(IOException.class, () -> ChatTemplates.ofFolder(folder), config);
        }
    }

    @Test
    void shouldChooseForTools() {
        ChatTemplates both = new ChatTemplates(Map.of("default", "d", "tool_use", "t"));
        assertEquals(Optional.of("d"), both.choose(false));
        assertEquals(Optional.of("t"), both.choose(true));
        assertEquals(Optional.of("x"), new ChatTemplates(Map.of("rag", "x")).choose(true));
        assertEquals(Optional.empty(), new ChatTemplates(Map.of("rag", "x", "other", "y")).choose(false));
    }

    @Test
    void shouldReadSpecialTokens() throws IOException {
        assertEquals(Map.of(), SpecialTokens.ofFolder(folder).texts());
        write("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\"}, \"pad_token\": null,"
                + " \"additional_special_tokens\": [\"<a>\", {\"content\": \"<b>\"}]}");
        assertEquals(new SpecialTokens(Map.of("bos_token", "<s>", "eos_token", "</s>"), List.of("<a>", "<b>")),
                SpecialTokens.ofFolder(folder));
    }
}
