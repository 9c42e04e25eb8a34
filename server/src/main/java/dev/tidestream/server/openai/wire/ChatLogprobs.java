package dev.tidestream.server.openai.wire;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.TopLogprob;

/** {@code {"content":[{"token","logprob","bytes","top_logprobs"}],"refusal":null}}. */
final class ChatLogprobs implements LogprobList {
    private final TokenTexts texts;
    private final boolean bare;
    private final JsonBytes entries = new JsonBytes();

    /** @param bare whether it is a list and nothing around it, in which {@code bytes} is never null */
    ChatLogprobs(TokenTexts texts, boolean bare) {
        this.texts = texts;
        this.bare = bare;
    }

    @Override
    public void add(int token, @Nullable Float logprob, List<TopLogprob> top, int textOffset) {
        if (!isEmpty()) {
            entries.raw(",");
        }
        one(token, logprob == null ? LEAST : logprob);
        entries.raw(",\"top_logprobs\":[");
        for (int i = 0; i < top.size(); i++) {
            entries.raw(i == 0 ? "" : ",");
            one(top.get(i).token(), top.get(i).logprob());
            entries.raw("}");
        }
        entries.raw("]}");
    }

    private void one(int token, float logprob) {
        byte[] bytes = texts.bytes(token);
        entries.raw("{\"token\":").string(bytes.length == 0 ? texts.name(token) : TokenTexts.text(bytes)).raw(",\"logprob\":");
        LogprobList.number(entries, logprob);
        entries.raw(",\"bytes\":");
        if (bytes.length == 0) {
            entries.raw(bare ? "[]" : "null");
            return;
        }
        for (int i = 0; i < bytes.length; i++) {
            entries.raw(i == 0 ? "[" : ",").number(bytes[i] & 0xFF);
        }
        entries.raw("]");
    }

    @Override
    public boolean isEmpty() {
        return entries.size() == 0;
    }

    @Override
    public int size() {
        return entries.size();
    }

    @Override
    public void writeTo(JsonBytes out) {
        out.raw(bare ? "[" : "{\"content\":[").raw(entries).raw(bare ? "]" : "],\"refusal\":null}");
    }

    @Override
    public void clear() {
        entries.clear();
    }
}
