package dev.tidestream.server.app;

import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;

import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.OpenAiEndpoints;
import dev.tidestream.server.openai.ServedModel;
import dev.tidestream.server.openai.lanes.ResponseLanes;
import dev.tidestream.server.openai.responses.MemoryResponses;
import dev.tidestream.server.openai.responses.ResponseStore;
import dev.tidestream.server.openai.responses.ResponsesEndpoints;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.WebSocketWire;
import dev.tidestream.server.transport.endpoint.EndpointFactory;

/** What OpenAI's endpoints answer from: the model that is served. */
final class OpenAiWiring {
    private final ModelRuntime running;
    private final VersionStore store;
    private final ModelChat chat;
    private final long loadedS = Instant.now().getEpochSecond();

    OpenAiWiring(ModelRuntime running, VersionStore store, ModelChat chat) {
        this.running = running;
        this.store = store;
        this.chat = chat;
    }

    /** Serves them: requests over HTTP, and lanes over WebSockets. */
    void serve(ServerVerticle verticle, ServerConfig config) {
        Backend backend = new Backend(running.engine(), running.tokenizer(), chat, this::served, new ModelFingerprints(running, store.log()),
                running.engine().openEndedTokens());
        ServerConfig.Chats chats = config.chats();
        ResponseStore responses = new MemoryResponses(chats.maxStoredResponses(), chats.storedResponseBytes());
        verticle.serving(EndpointFactory.all(List.of(new OpenAiEndpoints(backend), new ResponsesEndpoints(backend, responses))));
        verticle.serving(new WebSocketWire(ResponseLanes.PATH, ResponseLanes.SUBPROTOCOL, config.transport().http().maxBodyBytes(),
                new ResponseLanes(backend, responses, chats.lanes())::session));
    }

    private ServedModel served() {
        return new ServedModel(
                running.blueprint().name(),
                loadedS,
                running.blueprint().contextLength(),
                running.engine().vocabularySize(),
                OptionalLong.of(running.parameters()),
                running.weightsVersion());
    }
}
