package dev.tidestream.server.openai.wire;

/** How an endpoint words its answers. Any thread. */
public interface AnswerFormat {
    /** Beginning of the ids of answers. */
    String idPrefix();

    /** Value of {@code object}. */
    String object(boolean streamed);

    /** Whether ids of the prompt belong to a choice; else to the answer. */
    boolean promptIdsInChoice();

    /** Appends what the first chunk of a choice says; false if there is no such chunk. */
    boolean first(JsonBytes out);

    /** Appends the text of a chunk; {@code ""} for one that ends a choice. */
    void piece(JsonBytes out, String text);

    /** Appends the text of a whole choice. */
    void whole(JsonBytes out, CharSequence text);

    /** An empty list of log-probabilities. */
    LogprobList newLogprobs(TokenTexts texts, int topLogprobs);

    /** {@code text_completion}. */
    AnswerFormat COMPLETION = new AnswerFormat() {
        @Override
        public String idPrefix() {
            return "cmpl-";
        }

        @Override
        public String object(boolean streamed) {
            return "text_completion";
        }

        @Override
        public boolean promptIdsInChoice() {
            return true;
        }

        @Override
        public boolean first(JsonBytes out) {
            return false;
        }

        @Override
        public void piece(JsonBytes out, String text) {
            out.raw("\"text\":").string(text);
        }

        @Override
        public void whole(JsonBytes out, CharSequence text) {
            out.raw("\"text\":").string(text);
        }

        @Override
        public LogprobList newLogprobs(TokenTexts texts, int topLogprobs) {
            return new CompletionLogprobs(texts, topLogprobs > 0);
        }
    };

    /** {@code chat.completion}. */
    AnswerFormat CHAT = new AnswerFormat() {
        @Override
        public String idPrefix() {
            return "chatcmpl-";
        }

        @Override
        public String object(boolean streamed) {
            return streamed ? "chat.completion.chunk" : "chat.completion";
        }

        @Override
        public boolean promptIdsInChoice() {
            return false; // as vLLM has it
        }

        @Override
        public boolean first(JsonBytes out) {
            out.raw("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
            return true;
        }

        @Override
        public void piece(JsonBytes out, String text) {
            if (text.isEmpty()) {
                out.raw("\"delta\":{}");
            } else {
                out.raw("\"delta\":{\"content\":").string(text).raw("}");
            }
        }

        @Override
        public void whole(JsonBytes out, CharSequence text) {
            out.raw("\"message\":{\"role\":\"assistant\",\"content\":").string(text).raw(",\"refusal\":null}");
        }

        @Override
        public LogprobList newLogprobs(TokenTexts texts, int topLogprobs) {
            return new ChatLogprobs(texts, false);
        }
    };
}
