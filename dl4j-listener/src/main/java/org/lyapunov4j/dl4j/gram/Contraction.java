// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Which products turn a block of outer products into its Gram matrix.
 *
 * <p>With one position it is (A Aᵀ) ∘ (Δ Δᵀ). With T positions there is a choice. Either the sums
 * over pairs of positions of such products, about m²T²q + N²T²p multiply-adds; or the rows J_ik
 * themselves and J Jᵀ, about mTpq + m²pq. Few positions and wide layers ask for the former,
 * convolutions for the latter.
 */
final class Contraction {
  /** Entries of a part of J that is formed at a time. */
  private static final long ROWS_ENTRIES = 1L << 23;

  /** Multiply-adds of a matrix product that take as long as one of the sums over pairs. */
  private static final double PAIR_COST = 32;

  private Contraction() {}

  /** Adds a block to the sum, by the cheaper way. */
  static void add(JacobianBlock block, GramAccumulator sum) {
    if (block instanceof JacobianBlock.Rows rows) {
      sum.addProduct(rows.jacobian());
    } else if (block instanceof JacobianBlock.Outer outer) {
      if (outer.positions() == 1 || pairsAreCheaper(outer)) {
        sum.addHadamard(outer.inputRows(), outer.deltaRows(), outer.positions());
      } else {
        addRows(outer, null, sum, inputsAtATime(outer));
      }
    } else if (block instanceof JacobianBlock.Weighted weighted) {
      addRows(weighted.outer(), weighted.roots(), sum, inputsAtATime(weighted.outer()));
    } else if (block instanceof JacobianBlock.Lookup lookup) {
      for (LookupEntry entry : lookup.entries()) {
        INDArray rows =
            Nd4j.createFromArray(entry.sums())
                .castTo(lookup.type())
                .reshape('c', -1, lookup.deltaWidth());
        sum.addProduct(entry.touching(), rows);
      }
    }
  }

  private static int inputsAtATime(JacobianBlock.Outer outer) {
    long perInput = (long) outer.examples() * outer.columns() * outer.deltaWidth();
    return (int) Math.max(1, Math.min(outer.inputWidth(), ROWS_ENTRIES / perInput));
  }

  static boolean pairsAreCheaper(JacobianBlock.Outer outer) {
    double n = outer.examples();
    double m = n * outer.columns();
    double t = outer.positions();
    double p = outer.inputWidth();
    double q = outer.deltaWidth();
    double pairs = t * t * (n * n * p + m * m * (q + PAIR_COST)) / 2;
    double rows = m * t * p * q + m * m * p * q / 2;
    return pairs < rows;
  }

  /** Forms J for some inputs at a time; its columns are multiplied by p × q roots unless null. */
  static void addRows(JacobianBlock.Outer outer, INDArray roots, GramAccumulator sum, int width) {
    int p = outer.inputWidth();
    int q = outer.deltaWidth();
    long m = (long) outer.examples() * outer.columns();
    INDArray jacobian = null;
    for (int from = 0; from < p; from += width) {
      int to = Math.min(p, from + width);
      long size = (long) (to - from) * q;
      if (jacobian == null || jacobian.size(1) != size) {
        close(jacobian);
        jacobian = Nd4j.createUninitialized(outer.inputs().dataType(), new long[] {m, size}, 'c');
      }
      fill(jacobian, outer, from, to);
      if (roots != null) {
        INDArray part = roots.get(NDArrayIndex.interval(from, to));
        jacobian.muliRowVector(part.dup('c').reshape(size));
      }
      sum.addProduct(jacobian);
    }
    close(jacobian);
  }

  private static void close(INDArray array) {
    if (array != null) {
      array.close();
    }
  }

  private static void fill(INDArray jacobian, JacobianBlock.Outer outer, int from, int to) {
    int n = outer.examples();
    int k = outer.columns();
    int q = outer.deltaWidth();
    long rowsOfInput = outer.channelsFirst() ? 1 : outer.positions();
    for (int i = 0; i < n; i++) {
      INDArray a = inputs(outer, i, from, to);
      for (int c = 0; c < k; c++) {
        INDArray delta = Columns.get(outer.deltas(), rowsOfInput, (long) c * n + i);
        INDArray target =
            Columns.get(jacobian, 1, (long) i * k + c).reshape('c', to - from, q).transpose();
        if (outer.channelsFirst()) {
          Nd4j.gemm(delta.reshape('c', q, outer.positions()), a, target, false, true, 1, 0);
        } else {
          Nd4j.gemm(delta, a, target, true, false, 1, 0);
        }
      }
    }
  }

  /** Columns from … to of example i's inputs, T × p or, with channels first, p × T. */
  private static INDArray inputs(JacobianBlock.Outer outer, int i, int from, int to) {
    return outer.channelsFirst()
        ? Columns.get(outer.inputs(), 1, i)
            .reshape('c', outer.inputWidth(), outer.positions())
            .get(NDArrayIndex.interval(from, to))
        : Columns.get(outer.inputs(), outer.positions(), i)
            .get(NDArrayIndex.all(), NDArrayIndex.interval(from, to))
            .dup('c');
  }
}
