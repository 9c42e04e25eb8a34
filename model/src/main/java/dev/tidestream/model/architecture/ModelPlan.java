package dev.tidestream.model.architecture;

/**
 * What a model is made of, as its files have it.
 *
 * @param tensors which it needs
 * @param tie whether its head is its embedding, and why
 */
public record ModelPlan(TensorPlan tensors, Tie tie) {}
