/**
 * Weight updates as arithmetic: a tensor and a payload make a new tensor. Owns no threads (a WorkerTeam is passed in) and no
 * memory (an arena is passed in). Must import {@code model.tensor} only.
 */
@NullMarked
package dev.tidestream.model.patch;

import org.jspecify.annotations.NullMarked;
