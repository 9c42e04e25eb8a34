package dev.tidestream.server.cli.receipt;

import java.io.PrintWriter;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

import dev.tidestream.console.Printable;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.TokenDigest;
import dev.tidestream.server.receipts.JwkSet;
import dev.tidestream.server.receipts.PublicReceiptKey;
import dev.tidestream.server.receipts.Receipt;
import dev.tidestream.server.receipts.ReceiptException;
import dev.tidestream.server.receipts.SignedReceipt;

/** {@code receipt verify}: the signature, and with {@code --recompute} the stream. */
@Command(name = "verify") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class ReceiptVerifyCommand extends ReceiptVerifyOptions implements Callable<Integer> {
    /** What makes the prompt of a conversation. */
    static final List<String> OF_A_CONVERSATION = List.of("messages", "tools", "tool_choice", "documents", "continue_final_message",
            "add_generation_prompt", "chat_template_kwargs", "reasoning_effort");

    private static final int LABEL = 12;
    private static final int MAX_TEXT = 400;

    @Override
    public Integer call() {
        requireOfUse();
        String text = receipt();
        try {
            if (recompute) {
                ObjectNode body = body(text);
                OptionalInt refusal = keys == null ? OptionalInt.empty() : refusal(SignedReceipt.parse(text));
                return refusal.isPresent() ? refusal.getAsInt() : recompute(body);
            }
            SignedReceipt signed = SignedReceipt.parse(text);
            OptionalInt refusal = refusal(signed);
            return refusal.isPresent() ? refusal.getAsInt() : offline(signed);
        } catch (ReceiptException e) {
            return invalid("malformed_receipt", String.valueOf(e.getMessage()));
        }
    }

    /** What is said of a receipt whose signature does not prove it genuine; empty if it does. */
    private OptionalInt refusal(SignedReceipt signed) {
        Optional<PublicReceiptKey> key = publicKeys().find(signed.kid());
        if (key.isEmpty()) {
            return OptionalInt.of(
                    invalid("unknown_key", "none of the keys is the one that the receipt names: kid=" + Printable.line(signed.kid())));
        }
        return signed.signedWith(key.get()) ? OptionalInt.empty()
                : OptionalInt.of(invalid("bad_signature", "the receipt is not what was signed with this key: kid=" + key.get().kid()));
    }

    /** Of a genuine one: tokens that are given are compared by their hashes. */
    private int offline(SignedReceipt signed) throws ReceiptException {
        Receipt receipt = signed.receipt();
        Evidence e = receipt.evidence();
        if (tokens != null && !TokenDigest.of(tokens).equals(e.promptSha256())) {
            return failed("different", "prompt_differs", "the receipt is genuine, and the prompt is not its: tokens=%d, of the receipt=%d"
                    .formatted(tokens.length, e.promptTokens()));
        }
        if (outputTokens != null && !TokenDigest.of(outputTokens).equals(e.outputSha256())) {
            return failed("different", "output_differs", "the receipt is genuine, and the output is not its: tokens=%d, of the receipt=%d%s"
                    .formatted(outputTokens.length, e.outputTokens(), receipt.finish() == FinishReason.CANCELLED
                            ? "; a stream that was cancelled may have made one more than came: --recompute knows" : ""));
        }
        if (json) {
            println(JsonText.object(out -> {
                out.writeStringField("result", "genuine");
                out.writeNullField("code");
                out.writeStringField("kid", signed.kid());
                out.writeFieldName("receipt");
                out.writeRawValue(signed.payload());
            }));
        } else {
            println("genuine: signed with " + signed.kid());
            if (tokens != null || outputTokens != null) {
                println("equal: %s: by hash, nothing was computed".formatted(
                        outputTokens == null ? "the prompt" : tokens == null ? "the output" : "prompt and output"));
            }
            print(receipt);
        }
        return 0;
    }

    private JwkSet publicKeys() {
        String from = keys == null ? url() + ReceiptServer.KEYS_PATH : keys.toString();
        try {
            return JwkSet.parse(keys == null ? new ReceiptServer(url(), Optional.empty()).keys() : text(keys));
        } catch (ReceiptException e) {
            throw new CliException("%s: %s".formatted(from, e.getMessage()), e);
        }
    }

    private int recompute(ObjectNode body) {
        JsonNode answer = new ReceiptServer(url(), apiKey()).verify(body);
        String result = answer.path("result").asText();
        if (json) {
            println(Printable.line(answer.toString()));
        } else {
            boolean coded = answer.path("code").isTextual();
            println("%s: %s%s".formatted(Printable.line(result), coded ? Printable.line(answer.path("code").asText()) + ": " : "",
                    Printable.value(answer.path("message").asText(), MAX_TEXT)));
            JsonNode difference = answer.path("difference");
            if (difference.isObject()) {
                line("position", difference.path("position").asText());
                line("expected", piece(difference.path("expected")));
                line("found", piece(difference.path("found")));
            }
        }
        return result.equals("equal") ? 0 : 1;
    }

    private static String piece(JsonNode piece) {
        if (!piece.isObject()) {
            return "nothing";
        }
        String shown = Printable.quoted(piece.path("text").asText(), MAX_TEXT);
        return !piece.has("token") ? shown : piece.path("text").asText().isEmpty() ? "token " + piece.path("token").asInt()
                : "token %d %s".formatted(piece.path("token").asInt(), shown);
    }

    private int invalid(String code, String message) {
        return failed("invalid", code, message);
    }

    private int failed(String result, String code, String message) {
        println(json ? JsonText.object(out -> {
            out.writeStringField("result", result);
            out.writeStringField("code", code);
            out.writeStringField("message", message);
        }) : "%s: %s: %s".formatted(result, code, message));
        return 1;
    }

    private void print(Receipt r) {
        Evidence e = r.evidence();
        line("issued", Instant.ofEpochSecond(r.issuedS()) + " by " + r.server());
        line("key", r.keyName());
        line("model", r.model().name() + ", sha256 " + r.model().sha256());
        line("prompts", "sha256 " + r.model().promptsSha256());
        line("precision", r.precision().entrySet().stream().sorted(Map.Entry.comparingByKey())
                .map(entry -> entry.getKey() + "=" + entry.getValue()).reduce((a, b) -> a + ", " + b).orElse(""));
        for (int i = 0; i < e.spans().size(); i++) {
            Evidence.Span span = e.spans().get(i);
            line(i == 0 ? "weights" : "", "tokens %d to %d: version %d, head %s, updates sha256 %s".formatted(
                    span.from(), span.to() - 1, span.weightsVersion(), span.headMode(), r.updatesSha256().get(i)));
        }
        line("prompt", "%d tokens, sha256 %s".formatted(e.promptTokens(), e.promptSha256()));
        line("", e.textSha256() == null ? null : "text sha256 " + e.textSha256());
        line("output", "%d tokens, sha256 %s".formatted(e.outputTokens(), e.outputSha256()));
        line("finish", r.finish().name().toLowerCase(Locale.ROOT) + ", max_tokens=" + e.maxTokens());
        line("sampling", "temperature=%s, top_k=%d, top_p=%s, min_p=%s, seed=%d".formatted(e.sampling().temperature(), e.sampling().topK(),
                e.sampling().topP(), e.sampling().minP(), e.sampling().seed().orElseThrow()));
        line("", "repetition_penalty=%s, presence_penalty=%s, frequency_penalty=%s, biases=%d".formatted(e.sampling().repetitionPenalty(),
                e.sampling().presencePenalty(), e.sampling().frequencyPenalty(), e.sampling().logitBias().size()));
        line("stop", e.stop().isEmpty() ? null : Printable.line(e.stop().toString()));
    }

    private void line(String label, @Nullable String value) {
        if (value != null) {
            println("  " + label + " ".repeat(LABEL - label.length()) + Printable.line(value));
        }
    }

    private void println(String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(text);
        out.flush();
    }
}
