package dev.tidestream.server.cli.options;

import java.time.Duration;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.transport.http.AnswerLimits;

/** Options of {@code serve} for what is answered over HTTP. */
public final class AnswerOptions {
    private static final int DEFAULT_KEEP_ALIVE_S = 15;
    private static final int DEFAULT_WORK = 64;
    private static final int MAX_WORK = 1_000_000;
    private static final int MAX_KEEP_ALIVE_S = 3600;
    private static final int LEAST_BYTES = 64 << 10;
    private static final int MOST_BYTES = 256 << 20;

    private int keepAliveS = DEFAULT_KEEP_ALIVE_S;
    private int maxWork = DEFAULT_WORK;
    private int maxBytes = AnswerLimits.DEFAULT.maxBytes();

    @Option(names = "--max-answers", paramLabel = "SIZE", converter = ByteSize.Converter.class,
            description = "What answers that are put together, and responses that grow, may hold together "
                    + "(default: 64MiB, or an eighth of the heap if that is less).")
    private @Nullable ByteSize maxBytesOfAll;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--keep-alive", paramLabel = "SECONDS", defaultValue = "" + DEFAULT_KEEP_ALIVE_S,
            description = "Silence on a stream of events after which a comment is sent (default: ${DEFAULT-VALUE}).")
    void setKeepAlive(int value) {
        keepAliveS = Check.range(spec, "--keep-alive", value, 1, MAX_KEEP_ALIVE_S);
    }

    @Option(names = "--max-answer", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "16MiB",
            description = "Largest answer over HTTP that is not streamed (default: ${DEFAULT-VALUE}).")
    void setMaxAnswer(ByteSize value) {
        maxBytes = (int) Check.range(spec, "--max-answer", value.bytes(), LEAST_BYTES, MOST_BYTES);
    }

    @Option(names = "--max-http-work", paramLabel = "N", defaultValue = "" + DEFAULT_WORK,
            description = "Requests at once for tokens of texts, texts of tokens and prompts of conversations; more are refused "
                    + "(default: ${DEFAULT-VALUE}).")
    void setMaxWork(int value) {
        maxWork = Check.range(spec, "--max-http-work", value, 1, MAX_WORK);
    }

    /** What they say. */
    public AnswerLimits limits(Duration stallTimeout) {
        long ofAll = maxBytesOfAll == null ? Math.max(maxBytes, AnswerLimits.DEFAULT.maxBytesOfAll()) : maxBytesOfAll.bytes();
        if (ofAll < maxBytes) {
            throw new ParameterException(spec.commandLine(), "--max-answers must have room for one answer: bytes=%d, max_answer=%d"
                    .formatted(ofAll, maxBytes));
        }
        return new AnswerLimits(stallTimeout, Duration.ofSeconds(keepAliveS), maxBytes, ofAll, maxWork);
    }
}
