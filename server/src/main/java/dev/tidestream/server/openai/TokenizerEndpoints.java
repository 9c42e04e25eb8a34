package dev.tidestream.server.openai;

import java.io.IOException;
import java.util.List;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.Future;
import io.vertx.core.http.HttpMethod;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.server.chat.RenderedChat;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.ChatReader;
import dev.tidestream.server.openai.wire.RequestFields;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * {@code POST /tokenize} and {@code /detokenize}, with the fields of vLLM ({@code prompt}, {@code messages}) and of llama.cpp
 * ({@code content}), and {@code /apply-template}. Done on a worker, as many at once as it has room for.
 */
final class TokenizerEndpoints {
    private static final int TIMES_TOLD = 2; // by two names
    private static final int BAD_REQUEST = 400;

    private final EndpointFactory.Loop loop;
    private final Backend backend;
    private final RequestReader reader;
    private final ChatPlanner chat;

    TokenizerEndpoints(EndpointFactory.Loop loop, Backend backend, RequestReader reader) {
        this.loop = loop;
        this.backend = backend;
        this.reader = reader;
        this.chat = new ChatPlanner(backend);
    }

    List<Endpoint> endpoints() {
        return List.of(endpoint("/tokenize", this::tokenize), endpoint("/detokenize", this::detokenize),
                endpoint("/apply-template", this::applyTemplate));
    }

    /** From the fields of a request to its answer; on a worker. */
    private interface Work {
        JsonAnswer.Body answer(RequestFields fields) throws BadRequestException;
    }

    private Endpoint endpoint(String path, Work work) {
        return new Endpoint(HttpMethod.POST, path, Auth.COUNTED, loop.workers(), exchange -> handle(exchange, work));
    }

    private void handle(Exchange exchange, Work work) {
        exchange.body(loop.maxBodyBytes()).onComplete(came -> {
            if (came.succeeded()) {
                work(exchange, came.result(), work);
            } else {
                TokenEndpoint.refuse(exchange, came.cause());
            }
        });
    }

    private void work(Exchange exchange, Body body, Work work) {
        if (!loop.workers().enter()) { // there was room when the request began to come
            body.release();
            exchange.refuse(loop.workers().refusal());
            return;
        }
        loop.workers().run(exchange, () -> JsonAnswer.bytes(answer(body, work)))
                .onComplete(done -> body.release())
                .compose(json -> exchange.response().closed() ? Future.succeededFuture() : Answers.send(exchange, loop.memory(), json))
                .onComplete(done -> loop.workers().leave())
                .onFailure(cause -> TokenEndpoint.refuse(exchange, cause));
    }

    private JsonAnswer.Body answer(Body body, Work work) {
        try {
            RequestFields fields = reader.read(body.bytes().toString());
            OpenAiEndpoints.requireModel(backend, fields.text("model"));
            return work.answer(fields);
        } catch (BadRequestException e) {
            throw new RequestRefusedException(e.error());
        }
    }

    private JsonAnswer.Body tokenize(RequestFields fields) throws BadRequestException {
        TokenTexts texts = new TokenTexts(backend.tokenizer());
        boolean strings = fields.bool("return_token_strs", false);
        int[] tokens = fields.has("messages") ? chatTokens(fields) : textTokens(fields);
        return json -> {
            json.writeNumberField("count", tokens.length);
            json.writeNumberField("max_model_len", backend.model().get().contextLength());
            array(json, "tokens", tokens);
            if (strings) {
                json.writeArrayFieldStart("token_strs");
                for (int token : tokens) {
                    json.writeString(texts.name(token));
                }
                json.writeEndArray();
            }
        };
    }

    private int[] chatTokens(RequestFields fields) throws BadRequestException {
        RenderedChat prompt = chat.render(ChatReader.conversation(fields), "messages");
        return chat.encode(prompt, "messages");
    }

    /** As llama.cpp answers: {@code prompt}; with {@code return_token_ids} its tokens, too. */
    private JsonAnswer.Body applyTemplate(RequestFields fields) throws BadRequestException {
        RenderedChat prompt = chat.render(ChatReader.conversation(fields), "messages");
        int[] tokens = fields.bool("return_token_ids", false) ? chat.encode(prompt, "messages") : null;
        return json -> {
            json.writeStringField("prompt", prompt.text());
            if (tokens != null) {
                array(json, "prompt_token_ids", tokens);
            }
        };
    }

    private int[] textTokens(RequestFields fields) throws BadRequestException {
        boolean likeLlama = fields.has("content");
        String field = likeLlama ? "content" : "prompt";
        fields.required(field);
        String text = String.valueOf(fields.text(field));
        boolean addSpecial = fields.bool("add_special_tokens", fields.bool("add_special", !likeLlama));
        boolean parseSpecial = fields.bool("parse_special", false);
        return addSpecial
                ? backend.tokenizer().encodePrompt(text, parseSpecial)
                : backend.tokenizer().encode(text, false, parseSpecial);
    }

    private static void array(JsonGenerator json, String name, int[] tokens) throws IOException {
        json.writeFieldName(name);
        json.writeArray(tokens, 0, tokens.length);
    }

    private JsonAnswer.Body detokenize(RequestFields fields) throws BadRequestException {
        int[] tokens = RequestReader.tokens("tokens", fields.required("tokens"));
        requireKnown("tokens", tokens, backend.model().get().vocabularySize());
        String text = decoded(backend.tokenizer(), "tokens", tokens, loop.answers().maxBytes() / TIMES_TOLD);
        return json -> {
            json.writeStringField("prompt", text);
            json.writeStringField("content", text);
        };
    }

    /** The text of tokens; refuses those that stand for more bytes, before there is a text: short ids may stand for long texts. */
    static String decoded(Tokenizer tokenizer, String path, int[] tokens, int maxBytes) throws BadRequestException {
        long bytes = 0;
        for (int token : tokens) {
            bytes += tokenizer.tokenBytes(token).length;
        }
        if (bytes > maxBytes) {
            throw new BadRequestException(HttpError.of(BAD_REQUEST, "answer_too_large", path,
                    "the text of these tokens is too large: bytes=%d, limit=%d".formatted(bytes, maxBytes)));
        }
        return tokenizer.decode(tokens);
    }

    /** Refuses ids that stand for nothing. */
    static void requireKnown(String path, int[] tokens, int vocabularySize) throws BadRequestException {
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) {
                throw new BadRequestException(HttpError.of(BAD_REQUEST, "invalid_value", path,
                        "%s[%d] is outside the vocabulary: token=%d, vocabulary=%d".formatted(path, i, tokens[i], vocabularySize)));
            }
        }
    }
}
