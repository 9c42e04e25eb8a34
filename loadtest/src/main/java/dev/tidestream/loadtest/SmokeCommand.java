package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code loadtest smoke}: some streams on one socket, checked and measured. */
@Command(
        name = "smoke",
        description = "Opens streams on one WebSocket, checks order and completeness, prints times.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:every stream came in order and complete", "1:a stream failed, or the server could not be reached",
            "2:wrong usage"})
final class SmokeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--url", defaultValue = "ws://127.0.0.1:8080/v1/stream", description = "Where to connect. Default: ${DEFAULT-VALUE}")
    private URI url = URI.create("ws://127.0.0.1:8080/v1/stream");

    @Option(names = "--streams", defaultValue = "8", description = "Streams on the socket. Default: ${DEFAULT-VALUE}")
    private int streams;

    @Option(names = "--max-tokens", defaultValue = "64", description = "Tokens per stream. Default: ${DEFAULT-VALUE}")
    private int maxTokens;

    @Option(names = "--prompt", defaultValue = "Once upon a time", description = "Default: ${DEFAULT-VALUE}")
    private String prompt = "Once upon a time";

    @Option(names = "--timeout", defaultValue = "120", description = "Seconds for everything. Default: ${DEFAULT-VALUE}")
    private int timeoutSeconds;

    @Option(names = "--json", description = "One JSON object instead of text.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        if (streams < 1 || maxTokens < 1 || timeoutSeconds < 1) {
            throw new ParameterException(spec.commandLine(), "--streams, --max-tokens and --timeout must be at least 1: streams="
                    + streams + ", max-tokens=" + maxTokens + ", timeout=" + timeoutSeconds);
        }
        SmokeReport report = new SmokeClient(System::nanoTime)
                .run(url, prompt, streams, maxTokens, Duration.ofSeconds(timeoutSeconds));
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? report.toJson() : report.toText(Locale.ROOT));
        out.flush();
        return report.problems().isEmpty() ? 0 : 1;
    }
}
