package dev.tidestream.server.openai;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.openai.wire.AnswerFormat;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.CompletionRequest;
import dev.tidestream.server.openai.wire.Prompt;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.openai.wire.TokenRequest;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** All endpoints of this package. */
public final class OpenAiEndpoints implements EndpointFactory {
    private static final int DEFAULT_COMPLETION_TOKENS = 16;
    private static final int NOT_FOUND = 404;

    private final Backend backend;

    public OpenAiEndpoints(Backend backend) {
        this.backend = backend;
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        RequestReader reader = RequestReader.of(loop.limits());
        List<Endpoint> endpoints = new ArrayList<>(ModelEndpoints.endpoints(backend.model(), backend.adapters()));
        endpoints.add(new TokenEndpoint(loop, backend, false, (body, owner) -> job(loop, completion(loop, reader.completion(body))))
                .at("/v1/completions"));
        ChatPlanner chat = new ChatPlanner(backend);
        endpoints.add(new TokenEndpoint(loop, backend, true, (body, owner) -> job(loop, chat.plan(reader.chat(body))))
                .at("/v1/chat/completions"));
        endpoints.addAll(new TokenizerEndpoints(loop, backend, reader).endpoints());
        return endpoints;
    }

    private TokenEndpoint.Job job(Loop loop, Plan plan) {
        TokenTexts texts = new TokenTexts(backend.tokenizer());
        boolean streamed = plan.request().stream();
        return new TokenEndpoint.Job(plan, (exchange, generation) -> {
            AnswerHead head = AnswerHead.of(plan.format(), streamed, backend.nameOf(plan.request()), backend.fingerprints());
            return streamed
                    ? new StreamedAnswer(plan, head, backend, texts, exchange, loop, generation)
                    : new WholeAnswer(plan, head, backend, texts, exchange, loop, generation);
        });
    }

    private Plan completion(Loop loop, CompletionRequest asked) throws BadRequestException {
        TokenRequest common = asked.common();
        requireModel(backend, common.model());
        requireReceipts(backend, common);
        int maxTokens = common.maxTokens().orElse(DEFAULT_COMPLETION_TOKENS);
        boolean needsTokens = common.returnTokenIds() || (asked.echo() && common.topLogprobs() >= 0);
        boolean needsText = asked.echo();
        List<Plan.PlannedPrompt> prompts = new ArrayList<>();
        for (Prompt prompt : asked.prompts()) {
            prompts.add(switch (prompt) {
                case Prompt.Text(String text) -> new Plan.PlannedPrompt(
                        text, needsTokens ? backend.tokenizer().encodePrompt(text, common.parseSpecial()) : null);
                case Prompt.Tokens(int[] tokens) -> new Plan.PlannedPrompt(needsText ? decoded(tokens, loop.answers().maxBytes()) : null, tokens);
            });
        }
        return new Plan(common, AnswerFormat.COMPLETION, prompts, maxTokens, asked.echo(), backend.adapterOf(common));
    }

    private String decoded(int[] tokens, int maxBytes) throws BadRequestException {
        TokenizerEndpoints.requireKnown("prompt", tokens, backend.model().get().vocabularySize());
        return TokenizerEndpoints.decoded(backend.tokenizer(), "prompt", tokens, maxBytes);
    }

    /** Refuses a request for a receipt where there are none, or of an adapter. */
    static void requireReceipts(Backend backend, TokenRequest common) throws BadRequestException {
        if (common.receipt() && backend.receipts() == null) {
            throw BadRequestException.of("invalid_value", "tidestream.receipt", "tidestream.receipt: this server issues none");
        }
        if (common.receipt() && backend.adapterOf(common) != null) {
            throw BadRequestException.of("invalid_value", "tidestream.receipt",
                    "tidestream.receipt does not go with an adapter as model: receipts are of streams of the model alone");
        }
    }

    /** Refuses a request for another model than the one that is served, and its adapters; null is the model itself. */
    static void requireModel(Backend backend, @Nullable String asked) throws BadRequestException {
        String served = backend.model().get().id();
        if (asked != null && !asked.equals(served) && !backend.adapters().has(asked)) {
            throw new BadRequestException(HttpError.of(NOT_FOUND, "model_not_found", "model",
                    "The model '%s' does not exist; this server has '%s'".formatted(JsonAnswer.shown(asked), JsonAnswer.shown(served))));
        }
    }
}
