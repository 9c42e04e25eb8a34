package dev.tidestream.protocol;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CodecErrorsTest {
    private final Codec codec = new Codec(new Limits(4096, 1000));

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // frame | code | field | id | message
        "[1]|MALFORMED_JSON|||the frame is not one JSON object: not an object",
        "{\"type\":\"cancel\",\"id\":\"a\"} {}|MALFORMED_JSON||a|Trailing token",
        "{\"type\":\"cancel\",\"id\":\"a\",\"id\":\"b\"}|MALFORMED_JSON||a|Duplicate field 'id'",
        "{\"type\":\"cancel\",\"id\":\"a\",|MALFORMED_JSON||a|at character",
        "{\"x\":[1,{\"id\":\"no\"}],\"id\":\"a\",,}|MALFORMED_JSON||a|Unexpected character",
        "{\"x\":[[[[[[[[[]]]]]]]]],\"id\":\"a\"}|MALFORMED_JSON|||nesting depth",
        "{\"id\":\"a\"}|UNKNOWN_TYPE|type|a|missing field: type",
        "{\"type\":\"token\",\"id\":\"a\"}|UNKNOWN_TYPE|type|a|unknown type: \"token\"",
        "{\"id\":\"a\",\"type\":7}|INVALID_TYPE|type|a|type must be a string: 7",
        "{\"type\":\"cancel\"}|MISSING_FIELD|id||missing field: id",
        "{\"type\":\"cancel\",\"id\":7}|INVALID_TYPE|id||id must be a string: 7",
        "{\"type\":\"cancel\",\"id\":\"\"}|INVALID_VALUE|id||id must have 1 to 128 characters: chars=0",
        "{\"type\":\"cancel\",\"id\":\"\\ud800\"}|INVALID_VALUE|id||id has an unpaired surrogate",
        "{\"type\":\"cancel\",\"id\":\"a\",\"n\":1}|UNKNOWN_FIELD|n|a|unknown field: n",
        "{\"type\":\"credit\",\"id\":\"a\"}|MISSING_FIELD|n|a|missing field: n",
        "{\"type\":\"credit\",\"id\":\"a\",\"n\":0}|INVALID_VALUE|n|a|n must be in 1..2147483647: 0",
        "{\"type\":\"credit\",\"id\":\"a\",\"n\":2147483648}|INVALID_VALUE|n|a|2147483648",
        "{\"type\":\"credit\",\"id\":\"a\",\"n\":1.0}|INVALID_TYPE|n|a|n must be an integer: 1.0",
        "{\"type\":\"credit\",\"id\":\"a\",\"n\":\"1\"}|INVALID_TYPE|n|a|n must be an integer: \"1\"",
        "{\"type\":\"credit\",\"id\":\"a\",\"n\":null}|INVALID_TYPE|n|a|n must be an integer: null",
        "{\"type\":\"generate\",\"id\":\"a\"}|MISSING_FIELD|prompt|a|missing field: prompt",
        "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"tokens\":[1]}|INVALID_VALUE|prompt|a|give one of them, not both",
    })
    void shouldNameWhatIsWrongWithTheMessage(
            String frame, ErrorCode code, @Nullable String field, @Nullable String id, String message) {
        check(frame, code, field, id, message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // fields of a generate | code | field | message
        "\"prompt\":7|INVALID_TYPE|prompt|prompt must be a string: 7",
        "\"tokens\":\"1\"|INVALID_TYPE|tokens|tokens must be an array of integers: \"1\"",
        "\"tokens\":[]|INVALID_VALUE|tokens|at least one token",
        "\"tokens\":[1,-2]|INVALID_VALUE|tokens[1]|tokens[1] must be in 0..2147483647: -2",
        "\"tokens\":[2147483648]|INVALID_VALUE|tokens[0]|2147483648",
        "\"tokens\":[1.5]|INVALID_TYPE|tokens[0]|tokens[0] must be an integer: 1.5",
        "\"prompt\":\"\",\"max_tokens\":0|INVALID_VALUE|max_tokens|max_tokens must be in 1..1000: 0",
        "\"prompt\":\"\",\"max_tokens\":1001|INVALID_VALUE|max_tokens|1001",
        "\"prompt\":\"\",\"max_tokens\":1.5|INVALID_TYPE|max_tokens|max_tokens must be an integer: 1.5",
        "\"prompt\":\"\",\"stop\":\"x\"|INVALID_TYPE|stop|stop must be an array of strings",
        "\"prompt\":\"\",\"stop\":[\"\"]|INVALID_VALUE|stop[0]|stop[0] must have 1 to 256 characters: chars=0",
        "\"prompt\":\"\",\"stop\":[\"x\",1]|INVALID_TYPE|stop[1]|stop[1] must be a string: 1",
        "\"prompt\":\"\",\"logprobs\":21|INVALID_VALUE|logprobs|logprobs must be in 0..20: 21",
        "\"prompt\":\"\",\"logprobs\":\"1\"|INVALID_TYPE|logprobs|an integer or a boolean",
        "\"prompt\":\"\",\"weights\":\"Pin\"|INVALID_VALUE|weights|weights must be \"pin\" or \"follow\": \"Pin\"",
        "\"prompt\":\"\",\"weights\":true|INVALID_TYPE|weights|weights",
        "\"prompt\":\"\",\"parse_special\":1|INVALID_TYPE|parse_special|parse_special must be a boolean: 1",
        "\"prompt\":\"\",\"parse_special\":null|INVALID_TYPE|parse_special|parse_special must be a boolean: null",
        "\"messages\":[],\"prompt\":\"\"|INVALID_VALUE|messages|give one of them",
        "\"messages\":[]|INVALID_VALUE|messages|of at least one message",
        "\"messages\":{}|INVALID_TYPE|messages|an array of objects",
        "\"messages\":[1]|INVALID_TYPE|messages[0]|an object",
        "\"messages\":[{\"role\":\"user\"}]|MISSING_FIELD|messages[0].content|content",
        "\"messages\":[{\"role\":\"\",\"content\":\"\"}]|INVALID_VALUE|messages[0].role|role",
        "\"messages\":[{\"role\":\"user\",\"content\":\"\",\"name\":\"n\"}]|UNKNOWN_FIELD|messages[0].name|unknown field",
        "\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"parse_special\":true|INVALID_VALUE|parse_special|parse_special "
                + "goes with prompt only",
        "\"tokens\":[1],\"parse_special\":true|INVALID_VALUE|parse_special|parse_special goes with prompt only",
        "\"prompt\":\"\",\"special\":\"yes\"|INVALID_TYPE|special|special must be a boolean: \"yes\"",
        "\"tokens\":[1],\"special\":true|INVALID_VALUE|special|special goes with prompt only",
        "\"prompt\":\"\",\"parse_special\":true,\"special\":false|INVALID_VALUE|special|special is another name for "
                + "parse_special, and they differ",
        "\"prompt\":\"\",\"credit\":-1|INVALID_VALUE|credit|credit must be in 0..2147483647: -1",
        "\"prompt\":\"\",\"maxTokens\":1|UNKNOWN_FIELD|maxTokens|unknown field: maxTokens",
    })
    void shouldNameTheFieldOfAGenerate(String fields, ErrorCode code, String field, String message) {
        check("{\"type\":\"generate\",\"id\":\"a\"," + fields + "}", code, field, "a", message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // sampling | code | field | message
        "[]|INVALID_TYPE|sampling|sampling must be an object: an array of 0",
        "{\"topP\":1}|UNKNOWN_FIELD|sampling.topP|unknown field: sampling.topP",
        "{\"temperature\":-0.1}|INVALID_VALUE|sampling.temperature|sampling.temperature must be in [0, 100]: -0.1",
        "{\"temperature\":1e999}|INVALID_VALUE|sampling.temperature|[0, 100]",
        "{\"temperature\":NaN}|MALFORMED_JSON||NaN",
        "{\"temperature\":\"1\"}|INVALID_TYPE|sampling.temperature|sampling.temperature must be a number: \"1\"",
        "{\"top_k\":-1}|INVALID_VALUE|sampling.top_k|sampling.top_k must be in 0..2147483647: -1",
        "{\"top_p\":0}|INVALID_VALUE|sampling.top_p|sampling.top_p must be in (0, 1]: 0",
        "{\"top_p\":1e-99}|INVALID_VALUE|sampling.top_p|sampling.top_p must be in (0, 1]: 1.0E-99",
        "{\"top_p\":1.01}|INVALID_VALUE|sampling.top_p|1.01",
        "{\"min_p\":2}|INVALID_VALUE|sampling.min_p|sampling.min_p must be in [0, 1]: 2",
        "{\"repetition_penalty\":0}|INVALID_VALUE|sampling.repetition_penalty|(0, 100]",
        "{\"presence_penalty\":101}|INVALID_VALUE|sampling.presence_penalty|[-100, 100]",
        "{\"frequency_penalty\":-101}|INVALID_VALUE|sampling.frequency_penalty|[-100, 100]",
        "{\"logit_bias\":[]}|INVALID_TYPE|sampling.logit_bias|must be an object",
        "{\"logit_bias\":{\"01\":1}}|INVALID_VALUE|sampling.logit_bias.01|is not a token id",
        "{\"logit_bias\":{\"2147483648\":1}}|INVALID_VALUE|sampling.logit_bias.2147483648|is not a token id",
        "{\"logit_bias\":{\"1\":101}}|INVALID_VALUE|sampling.logit_bias.1|[-100, 100]: 101",
        "{\"seed\":9223372036854775808}|INVALID_VALUE|sampling.seed|9223372036854775808",
        "{\"seed\":\"1x\"}|INVALID_VALUE|sampling.seed|a signed 64-bit integer: \"1x\"",
        "{\"seed\":1.5}|INVALID_TYPE|sampling.seed|1.5",
    })
    void shouldNameTheFieldOfSampling(String sampling, ErrorCode code, @Nullable String field, String message) {
        check("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"\",\"sampling\":" + sampling + "}", code, field, "a", message);
    }

    @Test
    void shouldRefuseTooManyStopsAndBiases() {
        String stops = "\"x\",".repeat(16) + "\"x\"";
        check("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"\",\"stop\":[" + stops + "]}",
                ErrorCode.INVALID_VALUE, "stop", "a", "at most 16 strings: an array of 17");
        String bias = IntStream.rangeClosed(0, 1024).mapToObj(i -> "\"" + i + "\":1").collect(Collectors.joining(","));
        ProtocolException e = assertThrows(ProtocolException.class, () -> new Codec(Limits.DEFAULT).decodeClient(
                "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"\",\"sampling\":{\"logit_bias\":{" + bias + "}}}"));
        assertEquals("sampling.logit_bias", e.field());
        assertTrue(String.valueOf(e.getMessage()).contains("entries=1025"), e.getMessage());
    }

    @Test
    void shouldRefuseAnEmptyFrame() {
        check("", ErrorCode.MALFORMED_JSON, null, null, "empty frame");
        check(" \n", ErrorCode.MALFORMED_JSON, null, null, "empty frame");
    }

    @Test
    void shouldRefuseAMessageOverTheLimit() {
        String frame = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"" + "x".repeat(4096) + "\"}";
        check(frame, ErrorCode.FRAME_TOO_LARGE, null, null, "message too large: chars=" + frame.length() + ", limit=4096");
    }

    @Test
    void shouldShortenAndCleanWhatItRepeats() {
        String name = "\\u0007\uD800" + "n".repeat(100);
        check("{\"type\":\"cancel\",\"id\":\"a\",\"" + name + "\":1}", ErrorCode.UNKNOWN_FIELD,
                "\uFFFD\uFFFD" + "n".repeat(58) + "…", "a", "unknown field");
    }

    private void check(String frame, ErrorCode code, @Nullable String field, @Nullable String id, String message) {
        ProtocolException e = assertThrows(ProtocolException.class, () -> codec.decodeClient(frame));
        assertEquals(code, e.code(), e.getMessage());
        assertEquals(field, e.field(), e.getMessage());
        assertEquals(id, e.id(), e.getMessage());
        assertNotNull(e.getMessage());
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }
}
