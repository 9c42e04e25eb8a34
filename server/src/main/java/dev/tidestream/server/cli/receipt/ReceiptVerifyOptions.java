package dev.tidestream.server.cli.receipt;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Reasons;
import dev.tidestream.console.StandardInput;
import dev.tidestream.server.cli.chat.ApiKey;
import dev.tidestream.server.cli.terminal.CliException;

/** The options of {@code receipt verify}. */
@Command(
        name = "verify",
        description = {
            "Verify a receipt: its signature with the server's public keys and, with --recompute, its stream, which the server "
                    + "computes again.",
            "Without --recompute, --tokens and --output-tokens are compared with the hashes in the receipt. With --recompute and "
                    + "--keys, the signature is verified here first, and the server need not be the one that signed.",
            "Exit code 0: genuine, and what was compared is equal; else 1."
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream receipt verify eyJhbGciOi… --keys jwks.json",
            "  tidestream receipt verify --url https://models.example.org < receipt.txt",
            "  tidestream receipt verify eyJhbGciOi… --recompute --prompt \"Once upon a time\" --output-tokens 403,11,5",
            "  tidestream receipt verify eyJhbGciOi… --recompute --messages request.json --json",
        })
abstract class ReceiptVerifyOptions {
    private static final String STANDARD_INPUT = "-";

    @Parameters(index = "0", arity = "0..1", paramLabel = "RECEIPT", description = "The receipt (default: standard input).")
    private @Nullable String receipt;

    @Option(names = "--keys", paramLabel = "FILE",
            description = "Public keys, a JWK set: what a server has at /.well-known/jwks.json (default: the server's at --url; with "
                    + "--recompute, the server verifies with those it trusts).")
    @Nullable Path keys;

    private URI url = URI.create("http://127.0.0.1:8080");

    @Option(names = "--recompute", fallbackValue = "true", description = "Have the server compute the stream again, and compare.")
    boolean recompute;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt of the stream, if it was a text.")
    private @Nullable String prompt;

    @Option(names = "--tokens", paramLabel = "ID", split = ",", description = "The prompt of the stream, if it was token ids.")
    int @Nullable [] tokens;

    @Option(names = "--messages", paramLabel = "FILE",
            description = "The prompt of the stream, if it was a conversation: JSON, an array of messages, or an object with messages, "
                    + "tools and what else the template was given.")
    private @Nullable Path messages;

    @Option(names = "--output", paramLabel = "TEXT", description = "What came, as text, to be compared.")
    private @Nullable String output;

    @Option(names = "--output-tokens", paramLabel = "ID", split = ",", description = "What came, as token ids, to be compared.")
    int @Nullable [] outputTokens;

    @Option(names = "--api-key-file", paramLabel = "FILE",
            description = "A file with the key for the server (default: the environment variable " + ApiKey.VARIABLE + " or "
                    + ApiKey.COMMON_VARIABLE + ", if set).")
    private @Nullable Path apiKeyFile;

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object.")
    boolean json;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--url", paramLabel = "URL", defaultValue = "http://127.0.0.1:8080",
            description = "The server (default: ${DEFAULT-VALUE}).")
    void setUrl(String value) {
        try {
            URI given = new URI(value);
            String scheme = String.valueOf(given.getScheme()).toLowerCase(Locale.ROOT);
            if (given.getHost() == null || given.getUserInfo() != null || given.getQuery() != null
                    || !(scheme.equals("http") || scheme.equals("https"))) {
                throw new ParameterException(spec.commandLine(), "--url must be http://host:port or https://host:port");
            }
            url = new URI(scheme, null, given.getHost(), given.getPort(), null, null, null);
        } catch (URISyntaxException e) {
            throw new ParameterException(spec.commandLine(), "--url is no URL: write http://host:port", e);
        }
    }

    URI url() {
        return url;
    }

    Optional<String> apiKey() {
        return ApiKey.find(apiKeyFile, System::getenv);
    }

    /** The receipt, without what is around it. */
    String receipt() {
        try {
            String text = receipt == null || receipt.equals(STANDARD_INPUT) ? StandardInput.text() : receipt;
            if (text.isBlank()) {
                throw new ParameterException(spec.commandLine(), "a receipt is missing: give it as an argument or on standard input");
            }
            return text.strip();
        } catch (IOException e) {
            throw new CliException("the receipt cannot be read: " + Reasons.of(e), e);
        }
    }

    /** Refuses options that would be passed over: texts have to be made into tokens, and only the server knows how. */
    void requireOfUse() {
        String passedOver = prompt != null ? "--prompt" : messages != null ? "--messages" : output != null ? "--output" : null;
        if (!recompute && passedOver != null) {
            throw new ParameterException(spec.commandLine(),
                    passedOver + " needs --recompute: without it, --tokens and --output-tokens are compared with the receipt");
        }
    }

    /** The body of {@code POST /v1/verify}. */
    ObjectNode body(String ofReceipt) {
        if ((prompt == null ? 0 : 1) + (tokens == null ? 0 : 1) + (messages == null ? 0 : 1) != 1) {
            throw new ParameterException(spec.commandLine(), "--recompute needs the prompt: one of --prompt, --tokens and --messages");
        }
        if (output != null && outputTokens != null) {
            throw new ParameterException(spec.commandLine(), "give the output once: with --output or with --output-tokens");
        }
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("receipt", ofReceipt);
        if (messages != null) {
            conversation(body, messages);
        } else if (tokens != null) {
            body.set("tokens", array(tokens));
        } else {
            body.put("prompt", prompt);
        }
        if (outputTokens != null) {
            body.set("output", array(outputTokens));
        } else if (output != null) {
            body.put("output", output);
        }
        return body;
    }

    private static ArrayNode array(int[] ids) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (int id : ids) {
            array.add(id);
        }
        return array;
    }

    private static void conversation(ObjectNode body, Path file) {
        try {
            JsonNode given = new ObjectMapper().readTree(text(file));
            if (given.isArray()) {
                body.set("messages", given);
            } else if (given instanceof ObjectNode request && request.path("messages").isArray()) {
                for (String name : ReceiptVerifyCommand.OF_A_CONVERSATION) {
                    if (request.has(name)) {
                        body.set(name, request.get(name));
                    }
                }
            } else {
                throw new CliException("%s: neither an array of messages nor an object with messages".formatted(file));
            }
        } catch (JsonProcessingException e) {
            throw new CliException("%s: not JSON: %s".formatted(file, e.getOriginalMessage()), e);
        }
    }

    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (MalformedInputException e) {
            throw new CliException(file + ": not a text", e);
        } catch (IOException e) {
            throw new CliException(file + ": " + Reasons.of(e), e);
        }
    }
}
