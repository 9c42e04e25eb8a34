package dev.tidestream.server.openai;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.wire.AnswerFormat;
import dev.tidestream.server.openai.wire.Ids;
import dev.tidestream.server.openai.wire.JsonBytes;

/**
 * What all chunks of an answer begin with.
 *
 * @param created in seconds since 1970
 * @param model as the server calls it
 */
record AnswerHead(String id, String object, long created, String model, Fingerprints fingerprints) {
    /** Of a new answer. */
    static AnswerHead of(AnswerFormat format, boolean streamed, String model, Fingerprints fingerprints) {
        return new AnswerHead(Ids.next(format.idPrefix()), format.object(streamed), System.currentTimeMillis() / 1000, model, fingerprints);
    }

    /** Of what a stream was accepted with. */
    String fingerprint(TokenEvent.Accepted accepted) {
        return fingerprints.of(accepted.weightsVersion(), accepted.headMode(), accepted.adapter());
    }

    /** Appends it, up to where the value of {@code choices} begins. */
    void writeTo(JsonBytes out, String fingerprint) {
        out.raw("{\"id\":").string(id)
                .raw(",\"object\":").string(object)
                .raw(",\"created\":").number(created)
                .raw(",\"model\":").string(model)
                .raw(",\"system_fingerprint\":").string(fingerprint)
                .raw(",\"choices\":");
    }

    /** Appends the value of {@code usage}. */
    static void usage(JsonBytes out, Usage usage) {
        out.raw("{\"prompt_tokens\":").number(usage.promptTokens())
                .raw(",\"completion_tokens\":").number(usage.completionTokens())
                .raw(",\"total_tokens\":").number((long) usage.promptTokens() + usage.completionTokens())
                .raw(",\"prompt_tokens_details\":{\"cached_tokens\":").number(usage.cachedTokens())
                .raw("},\"completion_tokens_details\":{\"reasoning_tokens\":0}}");
    }
}
