package dev.tidestream.server.cluster.route;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

import org.jspecify.annotations.Nullable;

/**
 * Hashes of the full blocks that a prompt begins with. A block's hash stands for all before it, too, and for what KV blocks depend on:
 * model, version of the weights, adapter. So equal hashes mean that a node which has computed one prompt up to there need not compute
 * the other. Blocks have {@value #BLOCK_TOKENS} tokens, two of the engine's KV blocks.
 *
 * <p>A hash is the first 8 bytes of a SHA-256 over the 32 of the block before and the tokens: clients choose tokens, and none can make
 * prompts that look alike and are not. One that did would be sent to a node that has to compute it, no more. Immutable; any thread.
 */
public final class PrefixChain {
    /** Tokens of a block. */
    public static final int BLOCK_TOKENS = 64;
    /** Most blocks that are looked at: 65,536 tokens. What is behind them costs every node the same. */
    public static final int MAX_BLOCKS = 1024;
    private static final int DIGEST_BYTES = 32;

    private final byte[] root;

    /**
     * @param modelFingerprint of the base file, in any form that all nodes share
     * @param weightsVersion that prompts are computed with
     * @param adapter the same; null for the base alone
     */
    public PrefixChain(String modelFingerprint, long weightsVersion, @Nullable String adapter) {
        byte[] model = modelFingerprint.getBytes(StandardCharsets.UTF_8);
        byte[] name = adapter == null ? new byte[0] : adapter.getBytes(StandardCharsets.UTF_8);
        ByteBuffer text = ByteBuffer.allocate(model.length + name.length + 17).putInt(model.length).put(model).putLong(weightsVersion)
                .put((byte) (adapter == null ? 0 : 1)).putInt(name.length).put(name);
        root = sha256().digest(text.array());
    }

    /** Hashes of the full blocks of a prompt, the first of them first; {@code (min(tokens / 64, 1024))}. */
    public long[] blocks(int[] tokens) {
        long[] hashes = new long[Math.min(MAX_BLOCKS, tokens.length / BLOCK_TOKENS)];
        ByteBuffer block = ByteBuffer.allocate(DIGEST_BYTES + BLOCK_TOKENS * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).put(root);
        MessageDigest sha256 = sha256();
        for (int i = 0; i < hashes.length; i++) {
            block.position(DIGEST_BYTES);
            block.asIntBuffer().put(tokens, i * BLOCK_TOKENS, BLOCK_TOKENS);
            byte[] digest = sha256.digest(block.array());
            block.put(0, digest);
            hashes[i] = block.getLong(0);
        }
        return hashes;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
