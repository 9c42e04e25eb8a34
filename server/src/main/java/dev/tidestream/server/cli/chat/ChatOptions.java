package dev.tidestream.server.cli.chat;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.ModelOption;

/** The options of {@code chat}. */
@Command(
        name = "chat",
        description = {
            "Talk with a model, here or on a server.",
            "With input from a pipe, every line is a message, and every answer is printed."
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream chat -m model.gguf",
            "  tidestream chat -m model.gguf --system \"Answer in one sentence.\" --temperature 0",
            "  tidestream chat --url http://127.0.0.1:8080 --api-key-file key.txt",
            "  tidestream chat --raw                          the starter model goes on with your story",
            "  echo \"Why is the sky blue?\" | tidestream chat -m model.gguf --json",
            "",
            "In the conversation: /help lists the commands, Ctrl-C stops an answer, Ctrl-D ends.",
        })
abstract class ChatOptions {
    private static final String VERSION_PATH = "/v1";

    @Mixin
    final ModelOption model = new ModelOption();

    @Nullable URI url;

    @Option(names = "--url", paramLabel = "URL",
            description = "A server with POST /v1/chat/completions, in place of a model of this process.")
    void setUrl(String value) {
        try {
            url = base(value);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--url " + e.getMessage());
        }
    }

    @Option(names = "--server-model", paramLabel = "NAME",
            description = "What the server calls the model (default: the first one that it lists).")
    @Nullable String serverModel;

    @Option(names = "--api-key-file", paramLabel = "FILE",
            description = "A file with the key for the server (default: the environment variable " + ApiKey.VARIABLE + " or "
                    + ApiKey.COMMON_VARIABLE + ", if set).")
    @Nullable Path apiKeyFile;

    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told before the conversation.")
    @Nullable String system;

    @Option(names = "--chat-template", paramLabel = "FILE", description = "A chat template in place of the model's own.")
    @Nullable Path chatTemplate;

    @Option(names = "--raw", fallbackValue = "true",
            description = "Without a chat template: the model continues the text of all messages and answers, joined by line ends.")
    boolean raw;

    @Option(names = "--no-history", fallbackValue = "true",
            description = "Keep no file of what was typed (default: tidestream/chat_history in the state directory).")
    boolean noHistory;

    @Option(names = "--json", fallbackValue = "true",
            description = "Read messages from standard input, a line each, and print one JSON object per answer.")
    boolean json;

    private final Map<Setting, Double> settings = new EnumMap<>(Setting.class);
    private final List<String> stop = new ArrayList<>();

    @Option(names = "--seed", paramLabel = "S",
            description = "The same seed gives the same answer (default: a new one each time).")
    private @Nullable Long seed;

    @Option(names = {"-n", "--max-tokens"}, paramLabel = "N", description = "Most tokens of an answer (default: 1024).")
    void setMaxTokens(String value) {
        set("--max-tokens", Setting.MAX_TOKENS, value);
    }

    @Option(names = "--temperature", paramLabel = "X",
            description = "0 always takes the most likely token; more is more varied (default: 0.7; this and the following: with"
                    + " --url, what the server does).")
    void setTemperature(String value) {
        set("--temperature", Setting.TEMPERATURE, value);
    }

    @Option(names = "--top-k", paramLabel = "K", description = "Choose among the K most likely tokens; 0: all (default: 40).")
    void setTopK(String value) {
        set("--top-k", Setting.TOP_K, value);
    }

    @Option(names = "--top-p", paramLabel = "P",
            description = "Choose among the most likely tokens that together reach P (default: 1).")
    void setTopP(String value) {
        set("--top-p", Setting.TOP_P, value);
    }

    @Option(names = "--min-p", paramLabel = "P",
            description = "Drop tokens less than P times as likely as the most likely one (default: 0).")
    void setMinP(String value) {
        set("--min-p", Setting.MIN_P, value);
    }

    @Option(names = "--repetition-penalty", paramLabel = "X",
            description = "Above 1: make tokens seen before less likely (default: 1).")
    void setRepetitionPenalty(String value) {
        set("--repetition-penalty", Setting.REPETITION_PENALTY, value);
    }

    @Option(names = "--presence-penalty", paramLabel = "X",
            description = "Taken once from the logit of each token generated before (default: 0).")
    void setPresencePenalty(String value) {
        set("--presence-penalty", Setting.PRESENCE_PENALTY, value);
    }

    @Option(names = "--frequency-penalty", paramLabel = "X",
            description = "Taken as often as the token was generated before (default: 0).")
    void setFrequencyPenalty(String value) {
        set("--frequency-penalty", Setting.FREQUENCY_PENALTY, value);
    }

    @Option(names = "--stop", paramLabel = "TEXT",
            description = "End where this text would appear; may be given more than once.")
    void setStop(List<String> values) {
        if (values.contains("")) {
            throw new ParameterException(spec.commandLine(), "--stop must not be empty");
        }
        stop.clear();
        stop.addAll(values);
    }

    @Mixin
    final ComputeOptions compute = new ComputeOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    private void set(String option, Setting setting, String value) {
        try {
            settings.put(setting, setting.checked(value));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), option + " " + e.getMessage());
        }
    }

    /** How the first answer is made. */
    ChatSettings settings() {
        ChatSettings all = new ChatSettings(stop);
        settings.forEach(all::set);
        all.seed(seed == null ? OptionalLong.empty() : OptionalLong.of(seed));
        return all;
    }

    /** Refuses options of which one makes the other pointless. */
    void requireSense() {
        if (url != null && (model.path() != null || raw || chatTemplate != null)) {
            String other = model.path() != null ? "--model" : raw ? "--raw" : "--chat-template";
            throw new ParameterException(spec.commandLine(),
                    "--url and " + other + " exclude each other: the server has the model and its template");
        }
        if (url == null && (apiKeyFile != null || serverModel != null)) {
            throw new ParameterException(spec.commandLine(), "%s is for a server: give --url, too"
                    .formatted(apiKeyFile != null ? "--api-key-file" : "--server-model"));
        }
        if (raw && chatTemplate != null) {
            throw new ParameterException(spec.commandLine(), "--raw and --chat-template exclude each other");
        }
    }

    /** The URL with {@code /v1} at its end. */
    static URI base(String value) {
        URI uri;
        try {
            uri = new URI(value.replaceAll("/+$", ""));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("is no URL: write http://host:port", e);
        }
        if (!"http".equalsIgnoreCase(uri.getScheme()) && !"https".equalsIgnoreCase(uri.getScheme())) {
            throw new IllegalArgumentException("must begin with http:// or https://");
        }
        if (uri.getHost() == null || uri.getUserInfo() != null || uri.getQuery() != null || uri.getFragment() != null) {
            throw new IllegalArgumentException("must be scheme://host:port and nothing else but a path");
        }
        return uri.getPath().endsWith(VERSION_PATH) ? uri : URI.create(uri + VERSION_PATH);
    }
}
