package dev.tidestream.server.openai.wire;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.stream.StreamLimits;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RequestReaderTest {
    private static final RequestReader READER = new RequestReader(1 << 20, 4096, 16);

    private static CompletionRequest completion(String more) throws BadRequestException {
        return READER.completion("{\"prompt\":\"a\"%s}".formatted(more));
    }

    @Test
    void shouldTakeTextAsTextUnlessAskedNotTo() throws BadRequestException {
        assertFalse(completion("").common().parseSpecial());
        assertTrue(completion(",\"tidestream\":{\"parse_special\":true}").common().parseSpecial());
    }

    @Test
    void shouldJudgeByTheLimitsOfNow() throws BadRequestException {
        AtomicReference<EndpointFactory.Limits> limits = new AtomicReference<>(limits(1000, 2));
        RequestReader reader = RequestReader.of(limits::get);
        String large = "{\"prompt\":\"%s\"}".formatted("a".repeat(2000));
        String many = "{\"prompt\":\"a\",\"n\":3}";
        assertThrows(BadRequestException.class, () -> reader.completion(large));
        assertThrows(BadRequestException.class, () -> reader.completion(many));
        limits.set(limits(3000, 3));
        assertEquals(1, reader.completion(large).prompts().size());
        assertEquals(3, reader.completion(many).common().n());
        limits.set(limits(1000, 2));
        assertThrows(BadRequestException.class, () -> reader.completion(large));
    }

    private static EndpointFactory.Limits limits(int maxBodyBytes, int maxStreams) {
        return new EndpointFactory.Limits(new StreamLimits(maxStreams, 4096, 1 << 16, 16, Duration.ofSeconds(15)), maxBodyBytes);
    }

    @Test
    void shouldReadBiasesByTokenId() throws BadRequestException {
        assertEquals(Map.of(0, 1f, 5, -100f, Integer.MAX_VALUE, 2.5f),
                completion(",\"logit_bias\":{\"0\":1,\"5\":-100,\"2147483647\":2.5}").common().sampling().logitBias());
    }

    @ParameterizedTest
    @ValueSource(strings = {"05", "+5", "-5", "5.0", " 5", "", "x", "00", "2147483648", "4294967295", "99999999999999999999", "\u0665"})
    void shouldRefuseAnotherSpellingOfATokenId(String key) {
        BadRequestException refused =
                assertThrows(BadRequestException.class, () -> completion(",\"logit_bias\":{\"5\":1,\"%s\":1}".formatted(key)));
        assertEquals("logit_bias", refused.error().param());
        assertTrue(refused.error().message().contains("no token id"), refused.error().message());
    }

    @Test
    void shouldRefuseABiasThatIsThereTwice() {
        assertEquals("malformed_json",
                assertThrows(BadRequestException.class, () -> completion(",\"logit_bias\":{\"5\":1,\"5\":2}")).error().code());
    }

    @Test
    void shouldTakeWholeNumbersForIntegers() throws BadRequestException {
        CompletionRequest read = READER.completion("{\"prompt\":[1.0,2,3e0],\"max_tokens\":4.0,\"n\":2.0,\"seed\":5.0}");
        assertArrayEquals(new int[] {1, 2, 3}, ((Prompt.Tokens) read.prompts().getFirst()).tokens());
        assertEquals(List.of(4, 2, 5), List.of(read.common().maxTokens().orElseThrow(), read.common().n(),
                (int) read.common().seed().orElseThrow()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{'prompt':[1,1.5]}|prompt[1]|invalid_type|1.5",
        "{'prompt':[[1],[2,'a']]}|prompt[1][1]|invalid_type|a",
        "{'prompt':[4294967296]}|prompt[0]|invalid_value|4294967296",
        "{'prompt':'a','max_tokens':1.5}|max_tokens|invalid_type|1.5",
        "{'prompt':'a','seed':1e30}|seed|invalid_value|1.0E30"
    }, quoteCharacter = '"')
    void shouldRefuseOtherNumbersByName(String body, String param, String code, String value) {
        BadRequestException refused = assertThrows(BadRequestException.class, () -> READER.completion(body.replace('\'', '"')));
        assertEquals(param, refused.error().param());
        assertEquals(code, refused.error().code());
        assertTrue(refused.error().message().contains(value), refused.error().message());
    }
}
