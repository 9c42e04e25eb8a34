package dev.tidestream.server.openai;

import java.io.IOException;
import java.util.List;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;

import dev.tidestream.server.chat.RenderedChat;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.ChatReader;
import dev.tidestream.server.openai.wire.RequestFields;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * {@code POST /tokenize} and {@code /detokenize}, with the fields of vLLM ({@code prompt}, {@code messages}) and of llama.cpp
 * ({@code content}), and {@code /apply-template}. Done on a worker, one at a time.
 */
final class TokenizerEndpoints {
    private static final int OK = 200;
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
        return new Endpoint(HttpMethod.POST, path, Auth.COUNTED, Endpoint.Capacity.UNBOUNDED, exchange -> handle(exchange, work));
    }

    private void handle(Exchange exchange, Work work) {
        exchange.body(loop.maxBodyBytes())
                .compose(body -> loop.context().executeBlocking(() -> JsonAnswer.text(answer(body, work))))
                .onComplete(done -> {
                    if (exchange.response().closed()) {
                        return; // the client has gone
                    }
                    if (done.succeeded()) {
                        JsonAnswer.send(exchange.request(), OK, "application/json", done.result());
                    } else {
                        TokenEndpoint.refuse(exchange, done.cause());
                    }
                });
    }

    private JsonAnswer.Body answer(Buffer body, Work work) {
        try {
            RequestFields fields = reader.read(body.toString());
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
        boolean parseSpecial = fields.bool("parse_special", true);
        return addSpecial ? backend.tokenizer().encodePrompt(text, parseSpecial) : backend.tokenizer().encode(text, false, parseSpecial);
    }

    private static void array(JsonGenerator json, String name, int[] tokens) throws IOException {
        json.writeFieldName(name);
        json.writeArray(tokens, 0, tokens.length);
    }

    private JsonAnswer.Body detokenize(RequestFields fields) throws BadRequestException {
        int[] tokens = RequestReader.tokens("tokens", fields.required("tokens"));
        requireKnown("tokens", tokens, backend.model().get().vocabularySize());
        String text = backend.tokenizer().decode(tokens);
        return json -> {
            json.writeStringField("prompt", text);
            json.writeStringField("content", text);
        };
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
