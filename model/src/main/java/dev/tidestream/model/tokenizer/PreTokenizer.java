package dev.tidestream.model.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.GgufException;

/**
 * Cuts text into the words within which byte-level BPE merges. Each is one or several passes of a {@link WordScanner} rule; a
 * later pass cuts the words of the one before, and sees nothing beyond their ends. Names, rules and defaults are those of
 * llama.cpp's {@code tokenizer.ggml.pre}.
 */
enum PreTokenizer {
    GPT2("gpt-2, phi-2"),
    LLAMA3("llama-bpe, llama3, llama-v3, falcon3"),
    QWEN2("qwen2, deepseek-r1-qwen, stablelm2"),
    SMOLLM("smollm, starcoder, command-r"),
    DEFAULT("default");

    private final String names;

    PreTokenizer(String names) {
        this.names = names;
    }

    private List<WordScanner.Rule> passes() {
        return switch (this) {
            case GPT2 -> List.of(WordScanner::gpt2);
            case LLAMA3 -> List.of((scanner, start, end) -> scanner.llama3(start, end, 3));
            case QWEN2 -> List.of((scanner, start, end) -> scanner.llama3(start, end, 1));
            case SMOLLM -> List.of(WordScanner::singleNumbers, WordScanner::gpt2);
            case DEFAULT -> List.of(
                    WordScanner::punctuation, WordScanner::gpt2, WordScanner::numbers, WordScanner::digitTriples);
        };
    }

    /**
     * The pre-tokenizer of that name.
     *
     * @param name the value of {@code tokenizer.ggml.pre}; null if the file has none
     */
    static PreTokenizer named(@Nullable String name) {
        if (name == null) {
            return DEFAULT;
        }
        return Arrays.stream(values())
                .filter(candidate -> List.of(candidate.names.split(", ", -1)).contains(name))
                .findFirst()
                .orElseThrow(() -> new TokenizerException("tokenizer.ggml.pre: unknown pre-tokenizer: '%s', known: %s".formatted(
                        GgufException.quote(name),
                        Arrays.stream(values()).map(known -> known.names).collect(Collectors.joining(", ")))));
    }

    /** Whether a word that is a token is that token, however the merges would have built it. */
    boolean ignoresMerges() {
        return this == LLAMA3;
    }

    /** Whether BOS is added when the metadata does not say. */
    boolean addsBosByDefault() {
        return this == LLAMA3;
    }

    /** Ends of the words of a text, ascending, the last one the text's length; empty for an empty text. */
    int[] wordEnds(String text) {
        int[] ends = text.isEmpty() ? new int[0] : new int[] {text.length()};
        byte[] kinds = CharKind.of(text);
        for (WordScanner.Rule pass : passes()) {
            WordScanner scanner = new WordScanner(text, kinds);
            int start = 0;
            for (int end : ends) {
                pass.cut(scanner, start, end);
                start = end;
            }
            ends = scanner.wordEnds();
        }
        return ends;
    }
}
