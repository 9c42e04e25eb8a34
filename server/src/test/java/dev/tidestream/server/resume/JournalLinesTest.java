package dev.tidestream.server.resume;

import java.io.IOException;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** What is written of a stream is what is read. */
class JournalLinesTest {
    private static TokenEvent.Accepted readBack(ClientMessage.Generate message, TokenEvent.Accepted accepted) throws Exception {
        JournalLines lines = new JournalLines("p");
        StreamRecord.Identity identity = new StreamRecord.Identity(message.id(), "alice", message);
        String written = lines.of(identity, new StreamRecord.Piece(accepted, 0, new int[] {4, 5}, null, false));
        StreamRecord record = lines.read(message.id(), List.of(written.split("\n")));
        assertNotNull(record);
        assertEquals(message, record.identity().message());
        return record.accepted();
    }

    @Test
    void shouldKnowTheAdapterByItsContent() throws Exception {
        ClientMessage.Generate message = ClientMessage.Generate.of("h", "x").resumableAs("h");
        TokenEvent.Accepted plain = new TokenEvent.Accepted(1, 2, 3, "packed", 4);
        assertEquals(plain, readBack(message, plain));
        TokenEvent.Accepted adapted = new TokenEvent.Accepted(1, 2, 3, "packed", 4, null, null, new AdapterRef("law", "ab"));
        assertEquals(adapted, readBack(message.with(message.options().withAdapter("law")), adapted));
    }

    private static String refusal(String head, String tokens) {
        ClientMessage.Generate message = ClientMessage.Generate.of("h", "x").resumableAs("h");
        String request = new Codec(Limits.DEFAULT).encode(message);
        return String.valueOf(assertThrows(IOException.class,
                () -> new JournalLines("p").read("h", List.of(head, request, tokens))).getMessage());
    }

    private static String head(String version, String promptTokens) {
        return "{\"journal\":1,\"owner\":\"\",\"precision\":\"p\",\"stream\":7,\"seed\":7,\"weights_version\":" + version
                + ",\"head_mode\":\"packed\",\"prompt_tokens\":" + promptTokens + "}";
    }

    @Test
    void shouldRefuseWhatNoStreamCanBe() {
        String good = head("3", "5");
        String none = "{\"from\":0,\"tokens\":[1]}";
        assertEquals("weights_version must be in 0..9223372036854775807: -1", refusal(head("-1", "5"), none), "which is the newest");
        assertEquals("prompt_tokens must be in 0..2147483647: 4294967301", refusal(head("3", "4294967301"), none), "5 in 32 bits");
        assertEquals("tokens do not follow those before: from=2, tokens_before=0", refusal(good, "{\"from\":2,\"tokens\":[1]}"));
        assertEquals("a token must be an integer of at least 0: -1", refusal(good, "{\"from\":0,\"tokens\":[-1]}"));
        assertEquals("from must be an integer: ", refusal(good, ""));
        String all = "[" + "1,".repeat(Protocol.DEFAULT_MAX_TOKENS - 1) + "1]";
        assertEquals("it has as many tokens as it may have, and no end: tokens=%d, max_tokens=%d"
                .formatted(Protocol.DEFAULT_MAX_TOKENS, Protocol.DEFAULT_MAX_TOKENS), refusal(good, "{\"from\":0,\"tokens\":" + all + "}"));
    }
}
