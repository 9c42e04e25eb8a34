package dev.tidestream.server.openai.wire;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.TopLogprob;

/** {@code {"tokens":[…],"token_logprobs":[…],"top_logprobs":[{…}],"text_offset":[…]}}. */
final class CompletionLogprobs implements LogprobList {
    private final TokenTexts texts;
    private final boolean withTop;
    private final JsonBytes tokens = new JsonBytes();
    private final JsonBytes logprobs = new JsonBytes();
    private final JsonBytes tops = new JsonBytes();
    private final JsonBytes offsets = new JsonBytes();

    /** @param withTop whether the most likely tokens are told, too */
    CompletionLogprobs(TokenTexts texts, boolean withTop) {
        this.texts = texts;
        this.withTop = withTop;
    }

    @Override
    public void add(int token, @Nullable Float logprob, List<TopLogprob> top, int textOffset) {
        String comma = isEmpty() ? "" : ",";
        tokens.raw(comma).string(texts.name(token));
        logprobs.raw(comma);
        tops.raw(comma);
        if (logprob == null) {
            logprobs.nullValue();
            tops.raw(withTop ? "{}" : "null");
        } else {
            LogprobList.number(logprobs, logprob);
            top(token, logprob, top);
        }
        offsets.raw(comma).number(textOffset);
    }

    /** The most likely ones, and the token itself if it is not among them. */
    private void top(int token, float logprob, List<TopLogprob> top) {
        if (!withTop) {
            tops.nullValue();
            return;
        }
        Set<String> names = new HashSet<>();
        tops.raw("{");
        for (TopLogprob likely : top) {
            put(names, likely.token(), likely.logprob());
        }
        put(names, token, logprob);
        tops.raw("}");
    }

    private void put(Set<String> names, int token, float logprob) {
        String name = texts.name(token);
        if (names.add(name)) { // two tokens may have the same bytes; the likelier comes first
            tops.raw(names.size() == 1 ? "" : ",").string(name).raw(":");
            LogprobList.number(tops, logprob);
        }
    }

    @Override
    public boolean isEmpty() {
        return tokens.size() == 0;
    }

    @Override
    public int size() {
        return tokens.size() + logprobs.size() + tops.size() + offsets.size();
    }

    @Override
    public void writeTo(JsonBytes out) {
        out.raw("{\"tokens\":[").raw(tokens).raw("],\"token_logprobs\":[").raw(logprobs).raw("],\"top_logprobs\":");
        if (withTop) {
            out.raw("[").raw(tops).raw("]");
        } else {
            out.nullValue();
        }
        out.raw(",\"text_offset\":[").raw(offsets).raw("]}");
    }

    @Override
    public void clear() {
        tokens.clear();
        logprobs.clear();
        tops.clear();
        offsets.clear();
    }
}
