/**
 * Fine-tuning of small models of the LLaMA family: the forward pass again, in float64 and with its derivative; adapters of low rank
 * and rows of the embedding as what is trained; Adam; blocks of tokens. The caller's thread and a team's. Matrix products are handed
 * in; knows nothing of files, of the network and of ND4J.
 */
@NullMarked
package dev.tidestream.model.tuning;

import org.jspecify.annotations.NullMarked;
