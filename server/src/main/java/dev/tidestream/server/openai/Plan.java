package dev.tidestream.server.openai;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.RequestOptions;
import dev.tidestream.server.openai.wire.AnswerFormat;
import dev.tidestream.server.openai.wire.TokenRequest;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * What is to be generated for a request, and how it is answered.
 *
 * @param prompts at least one; each has {@code n} choices
 * @param maxTokens of each choice; 0 with {@code echo} only
 * @param echo whether each choice begins with its prompt
 * @param adapter that it is computed with; null for the model alone
 */
public record Plan(
        TokenRequest request, AnswerFormat format, List<PlannedPrompt> prompts, int maxTokens, boolean echo, @Nullable String adapter) {

    /**
     * One prompt; text or tokens, or both, then the tokens are what is generated from.
     *
     * @param text as it is echoed
     * @param at what the template that made it was told of the time; null if nothing
     */
    public record PlannedPrompt(@Nullable String text, int @Nullable [] tokens, @Nullable LocalDateTime at) {
        /** One that no template has made. */
        public PlannedPrompt(@Nullable String text, int @Nullable [] tokens) {
            this(text, tokens, null);
        }
    }

    /** The same, of which the prompt is prepared and no token is made. */
    public Plan withoutTokens() {
        return new Plan(request, format, prompts, 0, echo, adapter);
    }

    /** The same with the earlier of its deadline and another, in milliseconds. */
    Plan within(long deadlineMs) {
        return new Plan(request.within(deadlineMs), format, prompts, maxTokens, echo, adapter);
    }

    /** Choices, those of all prompts. */
    public int choices() {
        return prompts.size() * request.n();
    }

    /** That of a choice. */
    public PlannedPrompt promptOf(int choice) {
        return prompts.get(choice / request.n());
    }

    /** Whether log-probabilities of the prompt are told. */
    public boolean scores() {
        return echo && request.topLogprobs() >= 0;
    }

    /**
     * What the engine is asked for, in its caller's trace, choice by choice: {@code prompt * n + j}. Each has a seed: with a given one
     * that of the j-th choice of each prompt is {@code seed + j}; else they are consecutive, those of all prompts, from a random one.
     *
     * @param connection that it came on
     * @param account who shares the server with others, over all its connections
     */
    public List<GenerateRequest> requests(Object connection, Object account, RequestTrace trace) {
        RequestTrace traced = format == AnswerFormat.COMPLETION ? trace : trace.asChat();
        List<GenerateRequest> requests = new ArrayList<>();
        OptionalLong given = request.seed();
        long base = given.orElseGet(() -> ThreadLocalRandom.current().nextLong(Protocol.MAX_SAFE_INTEGER - choices() + 2));
        for (int choice = 0; choice < choices(); choice++) {
            PlannedPrompt prompt = promptOf(choice);
            String text = prompt.tokens() == null ? prompt.text() : null;
            long seed = base + (given.isPresent() ? choice % request.n() : choice);
            GenerateRequest generate = new GenerateRequest(text, text != null && request.parseSpecial(), prompt.tokens(),
                    maxTokens, sampling(seed), request.stop(), request.topLogprobs(), request.weights(), connection)
                    .of(account).with(new RequestOptions(request.receipt(), request.urgency(), adapter, traced, prompt.at()));
            requests.add(scores() ? generate.withPromptLogprobs(request.topLogprobs()) : generate);
        }
        return requests;
    }

    private SamplingOptions sampling(long seed) {
        SamplingOptions o = request.sampling();
        return new SamplingOptions(o.temperature(), o.topK(), o.topP(), o.minP(), o.repetitionPenalty(), o.presencePenalty(),
                o.frequencyPenalty(), o.logitBias(), OptionalLong.of(seed));
    }
}
