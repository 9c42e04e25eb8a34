package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;

/**
 * The outcome of a smoke test.
 *
 * @param tokens of all streams together
 * @param firstTokenMs median time from request to first token; 0 if there was none
 * @param slowestFirstTokenMs the longest of them
 * @param tokensPerS all tokens over the time from the first request to the last token
 * @param problems empty if all is well
 */
record SmokeReport(
        int streams, int tokens, double firstTokenMs, double slowestFirstTokenMs, double tokensPerS, List<String> problems) {

    SmokeReport {
        problems = List.copyOf(problems);
    }

    static SmokeReport of(List<StreamCheck> checks, long startNs, List<String> problems) {
        long[] firstTokenNs = checks.stream()
                .mapToLong(StreamCheck::timeToFirstTokenNs)
                .filter(ns -> ns >= 0)
                .sorted()
                .toArray();
        int tokens = checks.stream().mapToInt(StreamCheck::tokens).sum();
        long lastNs = checks.stream().filter(c -> c.tokens() > 0).mapToLong(StreamCheck::lastTokenNs).max().orElse(startNs);
        boolean any = firstTokenNs.length > 0;
        return new SmokeReport(
                checks.size(),
                tokens,
                any ? firstTokenNs[firstTokenNs.length / 2] / 1e6 : 0,
                any ? firstTokenNs[firstTokenNs.length - 1] / 1e6 : 0,
                lastNs > startNs ? tokens * 1e9 / (lastNs - startNs) : 0,
                problems);
    }

    String toText(Locale locale) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(locale, "%s: %d streams, %d tokens, %.1f tokens/s%n",
                problems.isEmpty() ? "OK" : "FAILED", streams, tokens, tokensPerS));
        text.append(String.format(locale, "first token: median %.1f ms, slowest %.1f ms%n", firstTokenMs, slowestFirstTokenMs));
        problems.forEach(problem -> text.append("  ").append(problem).append(System.lineSeparator()));
        return text.toString();
    }

    String toJson() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeBooleanField("ok", problems.isEmpty());
            json.writeNumberField("streams", streams);
            json.writeNumberField("tokens", tokens);
            json.writeNumberField("first_token_ms", firstTokenMs);
            json.writeNumberField("slowest_first_token_ms", slowestFirstTokenMs);
            json.writeNumberField("tokens_per_s", tokensPerS);
            json.writeArrayFieldStart("problems");
            for (String problem : problems) {
                json.writeString(problem);
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append(System.lineSeparator()).toString();
    }
}
