package dev.tidestream.model.evaluation;

/**
 * How a text is cut into windows, and which of a window's tokens count. A window is read from its beginning without what was
 * before it;
 * a token counts where it is predicted from enough of the window:
 *
 * <pre>
 * no stride: windows lie side by side; tokens context / 2 + 1 … context - 1 of each count
 * stride:    windows begin {@code stride} tokens apart; the last {@code stride} tokens of each count, so every token of the text
 *            behind the first window counts once
 * </pre>
 *
 * <p>These are the two ways of llama.cpp's {@code llama-perplexity}, which adds half of {@code --ppl-stride} to the context
 * before.
 *
 * @param context tokens of a window, at least {@value #LEAST_CONTEXT}, or 2 with a stride
 * @param stride tokens between the beginnings of two windows, less than {@code context}; 0 for none
 */
public record Windows(int context, int stride) {
    /** Fewest tokens of a window without a stride: of two, none would count. */
    public static final int LEAST_CONTEXT = 3;

    public Windows {
        if (stride < 0 || stride >= context || (stride == 0 && context < LEAST_CONTEXT)) {
            throw new IllegalArgumentException(("a window has at least %d tokens, with a stride at least 2,"
                    + " and more than the stride: context=%d, stride=%d").formatted(LEAST_CONTEXT, context, stride));
        }
    }

    /** Windows of a text; what is left behind the last is not looked at. */
    public int count(int tokens) {
        return tokens < context ? 0 : (tokens - context) / step() + 1;
    }

    /** Where a window begins in the text. */
    public int start(int window) {
        return window * step();
    }

    /**
     * The first token of a window that counts; all behind it do, too. Token {@code i} is predicted by the logits of {@code i -
     * 1}.
     */
    public int firstCounted() {
        return stride == 0 ? context / 2 + 1 : context - stride;
    }

    /** Tokens of a window that count. */
    public int counted() {
        return context - firstCounted();
    }

    private int step() {
        return stride == 0 ? context : stride;
    }
}
