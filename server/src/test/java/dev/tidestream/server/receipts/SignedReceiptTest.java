package dev.tidestream.server.receipts;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SignedReceiptTest {
    private static final String RFC_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    private static final String RFC_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    private static final String RFC_JWS = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
            + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    /** RFC 8037, appendix A. */
    @Test
    void shouldSignAsTheRfcDoes() throws ReceiptException {
        SigningKey key = SigningKey.ofSeed(Base64Url.decode(RFC_D, "d"));
        assertEquals(RFC_X, key.publicKey().x(), "A.2");
        assertEquals("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", key.publicKey().kid(), "A.3");
        byte[] payload = "Example of Ed25519 signing".getBytes(StandardCharsets.UTF_8);
        assertEquals(RFC_JWS, Jws.sign("{\"alg\":\"EdDSA\"}".getBytes(StandardCharsets.UTF_8), payload, key), "A.4");
        Jws jws = Jws.parse(RFC_JWS);
        assertTrue(jws.signedWith(PublicReceiptKey.of(RFC_X)), "A.5");
        assertFalse(jws.signedWith(SigningKey.generate().publicKey()));
    }

    @Test
    void shouldReadWhatItWrites() throws ReceiptException {
        long seed = Long.getLong("tidestream.seed", System.nanoTime());
        RandomReceipts receipts = new RandomReceipts(seed);
        SigningKey key = SigningKey.generate();
        for (int i = 0; i < 300; i++) {
            Receipt receipt = receipts.next();
            SignedReceipt signed = SignedReceipt.parse(SignedReceipt.sign(receipt, key));
            assertTrue(signed.signedWith(key.publicKey()));
            assertEquals(key.publicKey().kid(), signed.kid());
            assertEquals(receipt, signed.receipt(), "-Dtidestream.seed=" + seed);
        }
    }

    /** Whatever character is another: it is no receipt any more, or not one of this key. */
    @Test
    void shouldNotTakeAChangedOne() {
        SigningKey key = SigningKey.generate();
        String compact = SignedReceipt.sign(new RandomReceipts(1).next(), key);
        int refused = 0;
        for (int i = 0; i < compact.length(); i++) {
            char other = compact.charAt(i) == 'A' ? 'B' : 'A';
            if (!genuine(compact.substring(0, i) + other + compact.substring(i + 1), key)) {
                refused++;
            }
        }
        assertEquals(compact.length(), refused);
        assertTrue(genuine(compact, key));
        assertFalse(genuine(compact.substring(0, compact.length() - 1), key));
    }

    private static boolean genuine(String compact, SigningKey key) {
        try {
            SignedReceipt receipt = SignedReceipt.parse(compact);
            return receipt.kid().equals(key.publicKey().kid()) && receipt.signedWith(key.publicKey());
        } catch (ReceiptException e) {
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a.b.c", RFC_JWS, "e30.e30.AA", "eyJhbGciOiJub25lIn0.e30.", "bm8.e30.AA", "W10.e30.AA",
            "e31=.e30.AA"})
    void shouldRefuseWhatIsNone(String compact) {
        assertThrows(ReceiptException.class, () -> SignedReceipt.parse(compact));
    }

    @Test
    void shouldRefuseAnotherFormatAndWhatIsIncomplete() throws ReceiptException {
        SigningKey key = SigningKey.generate();
        for (String payload : List.of("", "{}", "[]", "{\"receipt\":2}", "{\"receipt\":1}", "{\"receipt\":1,\"receipt\":1}")) {
            SignedReceipt signed = SignedReceipt.parse(Jws.sign(SignedReceipt.TYPE, payload.getBytes(StandardCharsets.UTF_8), key));
            assertTrue(signed.signedWith(key.publicKey()));
            assertThrows(ReceiptException.class, signed::receipt, payload);
        }
    }

    @Test
    void shouldPublishKeysThatVerify() throws IOException, ReceiptException {
        SigningKey key = SigningKey.generate();
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            new JwkSet(List.of(key.publicKey(), SigningKey.generate().publicKey())).writeTo(json);
            json.writeEndObject();
        }
        JwkSet read = JwkSet.parse(text.toString());
        assertEquals(2, read.size());
        SignedReceipt signed = SignedReceipt.parse(SignedReceipt.sign(new RandomReceipts(2).next(), key));
        assertTrue(signed.signedWith(read.find(signed.kid()).orElseThrow()));
        assertEquals(Optional.empty(), read.find("other"));
        assertEquals(0, JwkSet.parse("{\"keys\":[{\"kty\":\"EC\"}]}").size());
        for (String bad : List.of("", "{}", "{\"keys\":1}", "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}")) {
            assertThrows(ReceiptException.class, () -> JwkSet.parse(bad), bad);
        }
    }
}
