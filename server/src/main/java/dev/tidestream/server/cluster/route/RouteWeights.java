package dev.tidestream.server.cluster.route;

/**
 * What things cost when a node is chosen, in blocks of 64 prompt tokens that have to be computed, and what the router may keep.
 *
 * @param uncachedBlock a block of the prompt that the node has not computed before
 * @param running a stream that runs there
 * @param waiting a stream that waits there for a slot
 * @param kvUse all of its KV memory, if it is lent
 * @param balance how many times its share of all streams a node may have before prefixes count no more; at least 1
 * @param slack streams beyond that share that it may have in any case, at least 1
 * @param blocksPerNode most blocks that the router remembers to have sent to a node, at least 1; about 100 bytes each
 * @param maxNodes most nodes that it remembers anything of, at least 1
 */
public record RouteWeights(
        double uncachedBlock, double running, double waiting, double kvUse, double balance, int slack, int blocksPerNode, int maxNodes) {
    /** Found with {@code bench cluster-sim}; docs/scale.md has the figures. */
    public static final RouteWeights DEFAULT = new RouteWeights(1, 0.5, 4, 2, 1.5, 2, 4096, 1024);

    /** Checks; costs of 0 are allowed, and leave a thing out of account. */
    public RouteWeights {
        requireCost("uncached_block", uncachedBlock);
        requireCost("running", running);
        requireCost("waiting", waiting);
        requireCost("kv_use", kvUse);
        if (!(balance >= 1 && balance <= 1e6)) {
            throw new IllegalArgumentException("balance must be in 1..1000000: balance=" + balance);
        }
        requirePositive("slack", slack);
        requirePositive("blocks_per_node", blocksPerNode);
        requirePositive("max_nodes", maxNodes);
    }

    private static void requireCost(String name, double value) {
        if (!(value >= 0 && value <= 1e6)) {
            throw new IllegalArgumentException("%s must be in 0..1000000: %s=%s".formatted(name, name, value));
        }
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("%s must be at least 1: %s=%d".formatted(name, name, value));
        }
    }

    /** The same with other costs. */
    public RouteWeights withCosts(double newUncachedBlock, double newRunning, double newWaiting, double newKvUse) {
        return new RouteWeights(newUncachedBlock, newRunning, newWaiting, newKvUse, balance, slack, blocksPerNode, maxNodes);
    }

    /** The same with another bound of what a node may have. */
    public RouteWeights withBalance(double newBalance, int newSlack) {
        return new RouteWeights(uncachedBlock, running, waiting, kvUse, newBalance, newSlack, blocksPerNode, maxNodes);
    }

    /** The same with another bound of what is remembered. */
    public RouteWeights withMemory(int newBlocksPerNode, int newMaxNodes) {
        return new RouteWeights(uncachedBlock, running, waiting, kvUse, balance, slack, newBlocksPerNode, newMaxNodes);
    }
}
