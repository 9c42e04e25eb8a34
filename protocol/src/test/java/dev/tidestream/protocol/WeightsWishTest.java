package dev.tidestream.protocol;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.options.WeightsWish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class WeightsWishTest {
    private final Codec codec = new Codec(new Limits(1 << 16, 1_000));

    private ClientMessage.Generate decoded(String fields) throws ProtocolException {
        return (ClientMessage.Generate) codec.decodeClient("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"p\"%s}".formatted(fields));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "~~ | -1 | -1 | PIN",
        ",\"weights\":\"pin\" | -1 | -1 | PIN",
        ",\"weights\":7 | 7 | -1 | PIN",
        ",\"min_version\":3 | -1 | 3 | PIN",
        ",\"weights\":7,\"min_version\":7 | 7 | 7 | PIN",
        ",\"weights\":\"follow\",\"min_version\":3 | -1 | 3 | FOLLOW",
    })
    void shouldReadAndWriteWhichWeightsAStreamBeginsWith(String fields, long version, long atLeast, WeightsPolicy policy) throws Exception {
        ClientMessage.Generate generate = decoded(fields);
        assertEquals(new WeightsWish(version, atLeast), generate.options().wish());
        assertEquals(policy, generate.weights());
        assertEquals(generate, codec.decodeClient(codec.encode(generate)));
        assertEquals(generate.options().wish(), generate.resumableAs("b").options().wish());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        ",\"weights\":0", ",\"weights\":1.5", ",\"weights\":true", ",\"min_version\":0", ",\"min_version\":\"3\"",
        ",\"weights\":2,\"min_version\":3", ",\"weights\":2,\"kv\":\"recompute\""})
    void shouldRefuseWhatIsNoVersion(String fields) {
        ProtocolException refused = assertThrows(ProtocolException.class, () -> decoded(fields));
        assertTrue(String.valueOf(refused.getMessage()).matches(".*(weights|min_version|kv).*"), refused.getMessage());
    }

    @Test
    void shouldTellStreamsOfOtherWeightsApart() throws Exception {
        assertTrue(!decoded(",\"weights\":2").equals(decoded(",\"weights\":3")));
    }
}
