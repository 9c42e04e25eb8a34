package dev.tidestream.model.tuning;

/**
 * What is added to a linear layer (LoRA, Hu et al. 2021): {@code scale * b * a}.
 *
 * @param a {@code (rank, in)}
 * @param b {@code (out, rank)}
 */
public record LowRank(Parameter a, Parameter b, double scale) {}
