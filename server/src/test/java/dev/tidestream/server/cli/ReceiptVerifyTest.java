package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.engine.Evidence;
import dev.tidestream.server.engine.TokenDigest;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.receipts.JwkSet;
import dev.tidestream.server.receipts.Receipt;
import dev.tidestream.server.receipts.ReceiptIssuer;
import dev.tidestream.server.receipts.ServedContent;
import dev.tidestream.server.receipts.SigningKey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@code receipt verify} without a server. */
class ReceiptVerifyTest {
    private static final int[] PROMPT = {5, 6, 7};
    private static final SigningKey KEY = SigningKey.generate();
    private static final String NO_SERVER = "http://127.0.0.1:1"; // where nobody listens

    @TempDir
    Path temp;

    private Path keys;

    @BeforeEach
    void writeKeys() throws Exception {
        keys = Files.writeString(temp.resolve("jwks.json"), JsonText.object(new JwkSet(List.of(KEY.publicKey()))::writeTo));
    }

    private static String receipt(SigningKey key, FinishReason finish) {
        ServedContent content = new ServedContent() {
            @Override
            public CompletableFuture<?> ready() {
                return CompletableFuture.completedFuture(null);
            }

            @Override
            public Receipt.Model model() {
                return new Receipt.Model("m", "file", "prompts");
            }

            @Override
            public Map<String, String> precision() {
                return Map.of();
            }

            @Override
            public String updatesSha256(long weightsVersion) {
                return "u";
            }
        };
        Evidence evidence = new Evidence(PROMPT.length, TokenDigest.of(PROMPT), null, false, null, 2,
                SamplingOptions.DEFAULT.withSeed(7), List.of(),
                WeightsPolicy.PIN, 1, List.of(new Evidence.Span(0, 2, 1, "packed")), 2, TokenDigest.of(new int[] {8, 9}));
        return new ReceiptIssuer(key, content, "s", InstantSource.system()).issue(
                new TokenEvent.Finish(finish, new Usage(3, 2), new Timing(0, 0, 0, 0), evidence), "");
    }

    private Run verify(String receipt, String... more) {
        String[] all = new String[more.length + 5];
        List<String> first = List.of("receipt", "verify", receipt, "--keys", keys.toString());
        for (int i = 0; i < all.length; i++) {
            all[i] = i < first.size() ? first.get(i) : more[i - first.size()];
        }
        return Run.of(all);
    }

    private static void assertSaid(int code, String begin, Run run) {
        assertEquals(code, run.code(), run.out() + run.err());
        assertTrue(run.out().startsWith(begin), run.out() + run.err());
    }

    @Test
    void shouldCompareTokensWithTheReceipt() {
        String receipt = receipt(KEY, FinishReason.LENGTH);
        assertSaid(0, "genuine: ", verify(receipt));
        Run equal = verify(receipt, "--tokens", "5,6,7", "--output-tokens", "8,9");
        assertSaid(0, "genuine: ", equal);
        assertTrue(equal.out().contains("equal: prompt and output: by hash"), equal.out());
        assertSaid(1, "different: prompt_differs: ", verify(receipt, "--tokens", "5,6,8"));
        assertSaid(1, "different: output_differs: ", verify(receipt, "--output-tokens", "8"));
        assertSaid(1, "{\"result\":\"different\",\"code\":\"output_differs\"", verify(receipt, "--output-tokens", "8", "--json"));
        Run cancelled = verify(receipt(KEY, FinishReason.CANCELLED), "--output-tokens", "8");
        assertSaid(1, "different: output_differs: ", cancelled);
        assertTrue(cancelled.out().contains("--recompute knows"), cancelled.out());
    }

    @Test
    void shouldRefuseWhatItCannotCompare() {
        String receipt = receipt(KEY, FinishReason.LENGTH);
        for (String option : List.of("--prompt", "--messages", "--output")) {
            Run refused = verify(receipt, option, "x");
            assertEquals(2, refused.code(), refused.out());
            assertTrue(refused.err().contains(option + " needs --recompute"), refused.err());
        }
    }

    /** A server that trusts everybody would take it for genuine. */
    @Test
    void shouldVerifyTheSignatureBeforeAServerIsAsked() {
        String[] recompute = {"--recompute", "--url", NO_SERVER, "--prompt", "x"};
        assertSaid(1, "invalid: unknown_key: ", verify(receipt(SigningKey.generate(), FinishReason.LENGTH), recompute));
        String receipt = receipt(KEY, FinishReason.LENGTH);
        String other = receipt(KEY, FinishReason.CANCELLED);
        String mixed = receipt.substring(0, receipt.lastIndexOf('.')) + other.substring(other.lastIndexOf('.'));
        assertSaid(1, "invalid: bad_signature: ", verify(mixed, recompute));
        Run genuine = verify(receipt, recompute);
        assertTrue(genuine.code() != 0 && genuine.err().contains(NO_SERVER), "then the server is asked: " + genuine.out() + genuine.err());
    }
}
