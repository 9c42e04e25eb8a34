package dev.tidestream.model.patch;

/**
 * How a payload changes a tensor. A payload has no header; its values lie in row-major order, little-endian:
 *
 * <pre>
 * kind      shape         payload
 * REPLACE   the tensor's  values (shape)
 * DELTA     the tensor's  values (shape), added to the tensor
 * ROWS      (n, columns)  row numbers (n), int32; values (n, columns), which replace these rows
 * LOW_RANK  the tensor's  A (rows, rank); B (rank, columns); A·B is added to the tensor
 * SPARSE    (n)           places (n), int64, counted row by row, rising; values (n), which replace these elements
 * </pre>
 */
public enum PatchKind {
    REPLACE,
    ROWS,
    DELTA,
    LOW_RANK,
    SPARSE
}
