package dev.tidestream.model.sampling;

import java.util.Map;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class SamplingParamsTest {

    @Test
    void shouldNameFieldAndValue() {
        assertRefused("temperature must be from 0 to 100: temperature=-0.1", -0.1f, 0, 1f, 0f, 1f, 0f, 0f, -1);
        assertRefused("temperature must be from 0 to 100: temperature=NaN", Float.NaN, 0, 1f, 0f, 1f, 0f, 0f, -1);
        assertRefused("temperature must be from 0 to 100: temperature=Infinity", Float.POSITIVE_INFINITY, 0, 1f, 0f, 1f, 0f, 0f, -1);
        assertRefused("top_k must be at least 0: top_k=-1", 1f, -1, 1f, 0f, 1f, 0f, 0f, -1);
        assertRefused("top_p must be more than 0 and at most 1: top_p=0.0", 1f, 0, 0f, 0f, 1f, 0f, 0f, -1);
        assertRefused("top_p must be more than 0 and at most 1: top_p=1.5", 1f, 0, 1.5f, 0f, 1f, 0f, 0f, -1);
        assertRefused("top_p must be more than 0 and at most 1: top_p=NaN", 1f, 0, Float.NaN, 0f, 1f, 0f, 0f, -1);
        assertRefused("min_p must be from 0 to 1: min_p=-0.5", 1f, 0, 1f, -0.5f, 1f, 0f, 0f, -1);
        assertRefused("min_p must be from 0 to 1: min_p=1.1", 1f, 0, 1f, 1.1f, 1f, 0f, 0f, -1);
        assertRefused("repetition_penalty must be more than 0 and at most 100: repetition_penalty=0.0", 1f, 0, 1f, 0f, 0f, 0f, 0f, -1);
        assertRefused("repetition_penalty must be more than 0 and at most 100: repetition_penalty=101.0",
                1f, 0, 1f, 0f, 101f, 0f, 0f, -1);
        assertRefused("presence_penalty must be from -100 to 100: presence_penalty=-101.0", 1f, 0, 1f, 0f, 1f, -101f, 0f, -1);
        assertRefused("frequency_penalty must be from -100 to 100: frequency_penalty=NaN", 1f, 0, 1f, 0f, 1f, 0f, Float.NaN, -1);
        assertRefused("logprobs must be at most 20: logprobs=21", 1f, 0, 1f, 0f, 1f, 0f, 0f, 21);
        assertRefused("logprobs must be at most 20: logprobs=-2", 1f, 0, 1f, 0f, 1f, 0f, 0f, -2);
    }

    @Test
    void shouldRefuseBiasesThatAreNoNumbers() {
        for (Map.Entry<Integer, Float> bias : Map.of(-1, 1f, 3, Float.NaN, 4, Float.POSITIVE_INFINITY).entrySet()) {
            InvalidSamplingException refusal = assertThrows(InvalidSamplingException.class,
                    () -> new SamplingParams(1f, 0, 1f, 0f, 1f, 0f, 0f, Map.ofEntries(bias), 0, -1));
            assertEquals("logit_bias", refusal.field());
            assertEquals("logit_bias must be of finite values (or -infinity) by token id: token=%d, bias=%s"
                    .formatted(bias.getKey(), bias.getValue()), refusal.getMessage());
        }
    }

    private static void assertRefused(String message, float temperature, int topK, float topP, float minP, float repetition,
            float presence, float frequency, int topLogprobs) {
        InvalidSamplingException refusal = assertThrows(InvalidSamplingException.class, () -> new SamplingParams(
                temperature, topK, topP, minP, repetition, presence, frequency, Map.of(), 0, topLogprobs));
        assertEquals(message, refusal.getMessage());
        assertEquals(message.substring(0, message.indexOf(' ')), refusal.field());
    }
}
