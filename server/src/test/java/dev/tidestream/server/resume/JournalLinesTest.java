package dev.tidestream.server.resume;

import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

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
}
