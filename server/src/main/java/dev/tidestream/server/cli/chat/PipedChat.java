package dev.tidestream.server.cli.chat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

import dev.tidestream.console.CommandOutput;
import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;

/** A conversation from a pipe: every line of the input is a message as it stands, every answer goes to the output. */
final class PipedChat {
    private static final int MAX_CHARS = 1 << 24;

    private final Reader in;
    private final PrintWriter out;
    private final boolean seen;
    private final boolean json;

    /**
     * @param in UTF-8
     * @param seen whether the output may be a terminal, where text must not act
     * @param json an object per answer, in one line
     */
    PipedChat(InputStream in, PrintWriter out, boolean seen, boolean json) {
        this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
        this.out = out;
        this.seen = seen;
        this.json = json;
    }

    /**
     * Until the input ends.
     *
     * @throws CliException if a message has no answer; the rest is not read
     */
    void run(Backend backend, ChatSettings settings, ChatState state) {
        for (Optional<String> line = line(); line.isPresent(); line = line()) {
            String message = line.get();
            if (!message.isBlank()) {
                Answer answer = answer(backend, settings, state, message);
                out.println(json ? json(answer) : "");
                out.flush();
                state.add(message, answer);
            }
        }
    }

    private Answer answer(Backend backend, ChatSettings settings, ChatState state, String message) {
        PrintWriter exact = CommandOutput.exact(out);
        Consumer<String> sink = json ? _ -> { } : part -> {
            exact.print(seen ? Printable.text(part) : part);
            exact.flush();
        };
        try {
            return backend.answer(state.with(message), settings, sink, new StopSwitch());
        } catch (ChatFailedException e) {
            throw new CliException(String.valueOf(e.getMessage()), e);
        }
    }

    private static String json(Answer answer) {
        return JsonText.object(json -> {
            json.writeStringField("text", answer.text());
            json.writeStringField("finish_reason", answer.end().name().toLowerCase(Locale.ROOT));
            OptionalLong seed = answer.seed();
            if (seed.isPresent()) {
                json.writeNumberField("seed", seed.getAsLong());
            }
            OptionalLong version = answer.weightsVersion();
            if (version.isPresent()) {
                json.writeNumberField("weights_version", version.getAsLong());
            }
            OptionalInt prompt = answer.promptTokens();
            if (prompt.isPresent()) {
                json.writeNumberField("prompt_tokens", prompt.getAsInt());
            }
            OptionalInt completion = answer.completionTokens();
            if (completion.isPresent()) {
                json.writeNumberField("completion_tokens", completion.getAsInt());
            }
        });
    }

    /** The next line without its end; empty at the end. */
    private Optional<String> line() {
        StringBuilder line = new StringBuilder();
        try {
            int c = in.read();
            if (c < 0) {
                return Optional.empty();
            }
            for (; c >= 0 && c != '\n'; c = in.read()) {
                line.append((char) c);
                if (line.length() > MAX_CHARS) {
                    throw new CliException("a line of standard input is too long: limit=%d characters".formatted(MAX_CHARS));
                }
            }
        } catch (CharacterCodingException e) {
            throw new CliException("standard input is not UTF-8", e);
        } catch (IOException e) {
            throw new CliException("standard input cannot be read: " + Reasons.of(e), e);
        }
        boolean carriage = !line.isEmpty() && line.charAt(line.length() - 1) == '\r';
        return Optional.of(carriage ? line.substring(0, line.length() - 1) : line.toString());
    }
}
