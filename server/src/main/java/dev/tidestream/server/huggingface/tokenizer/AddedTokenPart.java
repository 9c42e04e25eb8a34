package dev.tidestream.server.huggingface.tokenizer;

import dev.tidestream.model.tokenizer.TokenizerSpec.AddedToken;

/**
 * An entry of {@code added_tokens}.
 *
 * @param special a control token; other added tokens are text, found wherever they stand
 */
record AddedTokenPart(String content, boolean special, AddedToken rule) {

    static AddedTokenPart read(Part part) {
        part.only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special", "__type");
        boolean special = part.bool("special", false);
        return new AddedTokenPart(
                part.text("content"),
                special,
                new AddedToken(
                        part.bool("single_word", false),
                        part.bool("lstrip", false),
                        part.bool("rstrip", false),
                        part.bool("normalized", !special)));
    }

    /** Named like a control token: then a user's text is not to become one, whatever the flag says (llama.cpp's converter has this rule). */
    boolean isControl() {
        return special
                || (content.startsWith("<|") && content.endsWith("|>"))
                || (content.startsWith("<｜") && content.endsWith("｜>"))
                || (content.startsWith("<unused") && content.endsWith(">"))
                || content.equals("<pad>") || content.equals("<mask>") || content.equals("<2mass>") || content.equals("[@BOS@]");
    }
}
