package dev.tidestream.server.cli.chat;

import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.chat.ChatTemplateException;
import dev.tidestream.server.chat.Conversation;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.cli.chat.ChatMessage.Role;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/** A model of this process, behind the engine that serves, without a port. */
final class LocalBackend implements Backend {
    private static final int EVENTS_AHEAD = 8;
    private static final int NO_LOGPROBS = -1;

    private final ModelRuntime model;
    private final String name;
    private final @Nullable ModelChat chat;

    /**
     * @param model closed with this
     * @param chat null: what was said so far is text that the model continues
     */
    LocalBackend(ModelRuntime model, String name, @Nullable ModelChat chat) {
        this.model = model;
        this.name = name;
        this.chat = chat;
    }

    @Override
    public String description() {
        return "%s, %d positions%s".formatted(name, model.blueprint().contextLength(),
                chat == null ? ", without a chat template: it continues the text" : "");
    }

    @Override
    public Answer answer(List<ChatMessage> conversation, ChatSettings settings, Consumer<String> text, StopSwitch stop) {
        int[] prompt = prompt(conversation);
        int context = model.blueprint().contextLength();
        if (prompt.length >= context) {
            throw ChatFailedException.tooLong("the conversation is too long: tokens=%d, context=%d"
                    .formatted(prompt.length, context));
        }
        Generation generation = model.engine().generate(new GenerateRequest(null, false, prompt, settings.maxTokens(),
                settings.sampling(), settings.stop(), NO_LOGPROBS, settings.weights(), this));
        stop.onRequest(generation::stop);
        Collected collected = new Collected(text, context);
        try (Stream<TokenEvent> events = generation.events().toStream(EVENTS_AHEAD)) {
            events.forEachOrdered(collected::add);
        } catch (EngineException e) {
            throw ChatFailedException.of(String.valueOf(e.getMessage()));
        }
        return collected.answer();
    }

    private int[] prompt(List<ChatMessage> conversation) {
        if (chat == null) {
            String text = conversation.stream().map(ChatMessage::text).collect(Collectors.joining("\n"));
            return model.tokenizer().encodePrompt(text, false);
        }
        ArrayNode messages = JsonNodeFactory.instance.arrayNode();
        for (ChatMessage message : conversation) {
            messages.addObject().put("role", ServerBackend.wire(message.role())).put("content", message.text());
        }
        try {
            return chat.encode(chat.render(Conversation.of(messages)));
        } catch (ChatTemplateException e) {
            boolean system = conversation.getFirst().role() == Role.SYSTEM;
            throw ChatFailedException.of("the chat template cannot render this conversation%s: %s"
                    .formatted(system ? " (perhaps because of the system text)" : "", e.getMessage()));
        }
    }

    @Override
    public void close() {
        model.close();
    }

    /** What has come so far. */
    private static final class Collected {
        private final Consumer<String> sink;
        private final int context;
        private final StringBuilder text = new StringBuilder();
        private long seed;
        private long weightsVersion;
        private int promptTokens;
        private int tokens;
        private @Nullable FinishReason reason;

        Collected(Consumer<String> sink, int context) {
            this.sink = sink;
            this.context = context;
        }

        void add(TokenEvent event) {
            switch (event) {
                case TokenEvent.Accepted accepted -> {
                    seed = accepted.seed();
                    weightsVersion = accepted.weightsVersion();
                    promptTokens = accepted.promptTokens();
                }
                case TokenEvent.Progress _, TokenEvent.Scored _ -> { } // scores were not asked for
                case TokenEvent.Token token -> {
                    tokens++;
                    weightsVersion = token.weightsVersion();
                    text.append(token.text());
                    reason = token.finish() == null ? null : token.finish().reason();
                    sink.accept(token.text());
                }
                case TokenEvent.Stopped stopped -> reason = stopped.finish().reason();
            }
        }

        Answer answer() {
            Answer.End end = reason == FinishReason.STOP ? Answer.End.STOP
                    : reason != FinishReason.LENGTH ? Answer.End.CANCELLED
                    : promptTokens + tokens >= context ? Answer.End.CONTEXT : Answer.End.LENGTH;
            return new Answer(text.toString(), end, OptionalLong.of(seed), OptionalLong.of(weightsVersion),
                    OptionalInt.of(promptTokens), OptionalInt.of(tokens));
        }
    }
}
