package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.transformer.LanguageModel.Slice;

/** How likely the tokens of one prompt are, as far as that was asked for. */
final class PromptScores {
    private final SequenceRequest request;
    private int scored; // positions whose logits have told how likely the next token of the prompt is

    PromptScores(SequenceRequest request) {
        this.request = request;
    }

    /** Whether tokens of the prompt are yet to be scored, by the positions before them. */
    boolean pending() {
        return request.promptLogprobs() >= 0 && scored < lastPosition();
    }

    /** Positions that need not be scored any more. */
    int scored() {
        return scored;
    }

    /** Of the prompt; nothing of it follows. */
    int lastPosition() {
        return request.prompt().length - 1;
    }

    /**
     * Scores the tokens that follow those of a slice, and tells the client.
     *
     * @param row of the logits of the slice's first token
     */
    void score(Slice slice, float[] logits, int row, int vocabularySize) {
        List<Sample> scores = new ArrayList<>(slice.count());
        for (int i = 0; i < slice.count(); i++) {
            int next = request.prompt()[slice.from() + i + 1];
            scores.add(request.sampler().score(logits, (row + i) * vocabularySize, next, request.promptLogprobs()));
        }
        scored = slice.from() + slice.count();
        request.client().scored(scores);
    }
}
