package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonGenerator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

import dev.tidestream.console.CommandOutput;
import dev.tidestream.console.Printable;
import dev.tidestream.console.Terminals;
import dev.tidestream.protocol.Timing;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.TerminalStart;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.TokenEvent;

/** {@code generate}: one completion, through the same engine that serves. */
@Command(name = "generate") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class GenerateCommand extends GenerateOptions implements Callable<Integer> {
    private static final int EVENTS_AHEAD = 8;

    @Override
    public Integer call() {
        String text = prompt.text(); // before the model is loaded for nothing
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter exact = CommandOutput.exact(out);
        boolean seen = Terminals.stdout(); // text is data for a pipe; on a terminal it must not act
        try (ModelRuntime running = ModelRuntime.start(config(), new TerminalStart(spec.commandLine().getErr()))) {
            Completion completion = new Completion(running.tokenizer().encodePrompt(text, parseSpecial));
            warnOfCut(completion.promptTokens.length, running.blueprint().contextLength());
            try (Stream<TokenEvent> events = running.engine().generate(request()).events().toStream(EVENTS_AHEAD)) {
                events.forEachOrdered(event -> {
                    String more = completion.add(event);
                    if (!json) {
                        exact.print(seen ? Printable.text(more) : more);
                        exact.flush();
                    }
                });
            } // cancels, should the reader have gone
            out.println(json ? completion.json() : "");
        } catch (EngineException e) {
            throw new CliException(String.valueOf(e.getMessage()));
        }
        return 0;
    }

    private ServerConfig config() {
        return ServerConfig.DEFAULT.withModel(model.path()).withCompute(compute.config())
                .withEngine(EngineConfig.DEFAULT.withMaxSequences(1));
    }

    private void warnOfCut(int promptTokens, int contextLength) {
        int room = contextLength - promptTokens;
        if (room > 0 && room < maxTokens()) { // without any room, the prompt is refused
            PrintWriter err = spec.commandLine().getErr();
            err.println("tidestream: warning: --max-tokens %d is cut to %d: the model has %d positions, and the prompt takes %d"
                    .formatted(maxTokens(), room, contextLength, promptTokens));
            err.flush();
        }
    }

    /** What has been generated so far. */
    private static final class Completion {
        private final int[] promptTokens;
        private final StringBuilder text = new StringBuilder();
        private final IntStream.Builder tokens = IntStream.builder();
        private long seed;
        private long weightsVersion;
        private TokenEvent.@Nullable Finish finish;

        Completion(int[] promptTokens) {
            this.promptTokens = promptTokens;
        }

        /** The text of this event. */
        String add(TokenEvent event) {
            switch (event) {
                case TokenEvent.Accepted accepted -> {
                    seed = accepted.seed();
                    weightsVersion = accepted.weightsVersion();
                }
                case TokenEvent.Progress _, TokenEvent.Scored _ -> { } // scores were not asked for
                case TokenEvent.Token token -> {
                    tokens.add(token.token());
                    text.append(token.text());
                    finish = token.finish();
                    return token.text();
                }
                case TokenEvent.Stopped stopped -> finish = stopped.finish();
            }
            return "";
        }

        String json() {
            return JsonText.object(json -> {
                json.writeStringField("text", text.toString());
                JsonText.integers(json, "prompt_tokens", promptTokens);
                JsonText.integers(json, "tokens", tokens.build().toArray());
                if (finish != null) {
                    json.writeStringField("finish_reason", finish.reason().name().toLowerCase(Locale.ROOT));
                    json.writeNumberField("seed", seed);
                    json.writeNumberField("weights_version", weightsVersion);
                    timing(json, finish.timing());
                }
            });
        }

        private static void timing(JsonGenerator json, Timing timing) throws IOException {
            json.writeObjectFieldStart("timing");
            json.writeNumberField("queue_ms", timing.queueMs());
            json.writeNumberField("first_token_ms", timing.firstTokenMs());
            json.writeNumberField("total_ms", timing.totalMs());
            json.writeNumberField("tokens_per_s", timing.tokensPerS());
            json.writeEndObject();
        }
    }
}
