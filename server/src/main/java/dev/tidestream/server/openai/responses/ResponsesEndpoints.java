package dev.tidestream.server.openai.responses;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Future;
import io.vertx.core.http.HttpMethod;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.Conversation;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.ChatPlanner;
import dev.tidestream.server.openai.TokenEndpoint;
import dev.tidestream.server.openai.wire.AnswerFormat;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.openai.wire.ResponseRequest;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** {@code /v1/responses} and what is below it. */
public final class ResponsesEndpoints implements EndpointFactory {
    private static final String PATH = "/v1/responses";
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int DEFAULT_ITEMS = 20;
    private static final int MAX_ITEMS = 100;
    private static final int INVALID = Integer.MIN_VALUE;

    private final Backend backend;
    private final ResponseStore store;
    private final ChatPlanner planner;

    public ResponsesEndpoints(Backend backend, ResponseStore store) {
        this.backend = backend;
        this.store = store;
        this.planner = new ChatPlanner(backend);
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        RequestReader reader = RequestReader.of(loop.limits());
        return List.of(
                new TokenEndpoint(loop, backend, true, (body, owner) -> job(loop, reader.response(body), owner)).at(PATH),
                Endpoint.get(PATH + "/*", Auth.OWN_HOST, exchange -> get(loop, exchange)),
                new Endpoint(HttpMethod.POST, PATH + "/*", Auth.OWN_HOST, Endpoint.Capacity.UNBOUNDED, exchange -> cancel(loop, exchange)),
                new Endpoint(
                        HttpMethod.DELETE, PATH + "/*", Auth.OWN_HOST, Endpoint.Capacity.UNBOUNDED, exchange -> delete(loop, exchange)));
    }

    /** On a worker. */
    private TokenEndpoint.Job job(Loop loop, ResponseRequest request, Owner owner) throws BadRequestException {
        List<JsonNode> prior = prior(request.previousId(), owner);
        Conversation conversation = request.after(prior);
        TokenTexts texts = new TokenTexts(backend.tokenizer());
        return new TokenEndpoint.Job(planner.plan(request.common(), conversation, AnswerFormat.CHAT, "input"),
                (exchange, generation) -> {
                    LiveResponse response = new LiveResponse(LiveResponse.Origin.of(backend.nameOf(request.common()), owner, request, prior));
                    return new ResponseAnswer(
                            response, request.common(), store, backend, texts, exchange, loop, generation);
                });
    }

    private List<JsonNode> prior(@Nullable String id, Owner owner) throws BadRequestException {
        if (id == null) {
            return List.of();
        }
        return store.find(id, owner).join().filter(LiveResponse::canGoOn).map(LiveResponse::conversation)
                .orElseThrow(() -> new BadRequestException(previousNotFound(id)));
    }

    /** What is answered to a request that goes on from a response that there is not. */
    public static HttpError previousNotFound(String id) {
        return HttpError.of(BAD_REQUEST, "previous_response_not_found", "previous_response_id",
                "Previous response with id '%s' not found.".formatted(JsonAnswer.shown(id)));
    }

    /** What stands behind the path: the id of a response, and perhaps what is asked of it. */
    private record Asked(String id, String rest) {
        static Asked of(Exchange exchange) {
            String all;
            try {
                all = exchange.rest();
            } catch (IllegalArgumentException e) {
                all = ""; // no id is written like that
            }
            int slash = all.indexOf('/');
            return slash < 0 ? new Asked(all, "") : new Asked(all.substring(0, slash), all.substring(slash));
        }
    }

    private static void unknown(Exchange exchange, Asked asked) {
        exchange.refuse(HttpError.of(NOT_FOUND, null, "Response with id '%s' not found.".formatted(JsonAnswer.shown(asked.id()))));
    }

    private static void nothingThere(Exchange exchange) {
        exchange.refuse(HttpError.of(NOT_FOUND, "not_found", "no such path: " + JsonAnswer.shown(String.valueOf(exchange.request().path()))));
    }

    /** Within what answers may hold that are not sent yet. */
    private static void answer(Loop loop, Exchange exchange, ObjectNode object) {
        var _ = Answers.send(exchange, loop.memory(), (object + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private void get(Loop loop, Exchange exchange) {
        Asked asked = Asked.of(exchange);
        withResponse(loop, exchange, asked, response -> {
            if (asked.rest().equals("/input_items")) {
                items(loop, exchange, response);
            } else if (!asked.rest().isEmpty()) {
                nothingThere(exchange);
            } else if ("true".equals(exchange.request().getParam("stream")) && exchange.request().method().equals(HttpMethod.GET)) {
                replay(loop, exchange, response);
            } else {
                answer(loop, exchange, ResponseEvents.object(response, true));
            }
        });
    }

    /** Does something with a response of the key of this request; answers if there is none, or if it cannot be had. */
    private void withResponse(Loop loop, Exchange exchange, Asked asked, Consumer<LiveResponse> use) {
        Future.fromCompletionStage(store.find(asked.id(), exchange.account().owner()), loop.context()).onComplete(found -> {
            if (found.failed()) {
                TokenEndpoint.refuse(exchange, found.cause());
            } else if (found.result().isPresent()) {
                use.accept(found.result().get());
            } else {
                unknown(exchange, asked);
            }
        });
    }

    private void replay(Loop loop, Exchange exchange, LiveResponse response) {
        int after = number(exchange, "starting_after", -1, Integer.MAX_VALUE - 1, -1);
        if (after == INVALID) {
            return;
        }
        if (!loop.sessions().hasRoom()) {
            exchange.refuse(loop.sessions().refusal());
            return;
        }
        loop.sessions().open(new EventReplay(response, after + 1, exchange, loop));
    }

    /** A number of the query; {@link #INVALID} if it is none, and then the request is answered. */
    private static int number(Exchange exchange, String name, int min, int max, int absent) {
        String text = exchange.request().getParam(name);
        if (text == null) {
            return absent;
        }
        try {
            int number = Integer.parseInt(text);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below, with numbers out of range
        }
        exchange.refuse(HttpError.of(BAD_REQUEST, "invalid_value", name,
                "%s must be in %d..%d: %s".formatted(name, min, max, JsonAnswer.shown(text))));
        return INVALID;
    }

    private static void items(Loop loop, Exchange exchange, LiveResponse response) {
        int limit = number(exchange, "limit", 1, MAX_ITEMS, DEFAULT_ITEMS);
        if (limit == INVALID) {
            return;
        }
        List<JsonNode> items = new ArrayList<>(response.origin().items());
        if (!"asc".equals(exchange.request().getParam("order"))) {
            items = new ArrayList<>(items.reversed());
        }
        String after = exchange.request().getParam("after");
        if (after != null) {
            int at = items.stream().map(item -> item.path("id").asText()).toList().indexOf(after);
            items = items.subList(at + 1, items.size());
        }
        List<JsonNode> page = items.subList(0, Math.min(limit, items.size()));
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        list.putArray("data").addAll(page);
        list.put("first_id", page.isEmpty() ? null : page.getFirst().path("id").asText());
        list.put("last_id", page.isEmpty() ? null : page.getLast().path("id").asText());
        list.put("has_more", page.size() < items.size());
        answer(loop, exchange, list);
    }

    private void cancel(Loop loop, Exchange exchange) {
        Asked asked = Asked.of(exchange);
        if (!asked.rest().equals("/cancel")) {
            nothingThere(exchange);
            return;
        }
        withResponse(loop, exchange, asked, response -> {
            if (!response.ended()) {
                response.cancel();
            }
            answer(loop, exchange, ResponseEvents.object(response, true));
        });
    }

    private void delete(Loop loop, Exchange exchange) {
        Asked asked = Asked.of(exchange);
        if (!asked.rest().isEmpty()) {
            nothingThere(exchange);
            return;
        }
        withResponse(loop, exchange, asked, response -> Future.fromCompletionStage(store.remove(asked.id()), loop.context()).onComplete(removed -> {
            if (removed.failed()) {
                TokenEndpoint.refuse(exchange, removed.cause());
            } else if (removed.result()) {
                answer(loop, exchange, JsonNodeFactory.instance.objectNode().put("id", asked.id()).put("object", "response").put("deleted", true));
            } else {
                unknown(exchange, asked);
            }
        }));
    }
}
