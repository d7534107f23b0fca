// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.stream.IntStream;
import org.lyapunov4j.gram.MatrixProduct;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Which products turn a block of outer products into its Gram matrix.
 *
 * <p>With one position it is (A Aᵀ) ∘ (Δ Δᵀ). With T positions there is a choice. Either the sums
 * over pairs of positions of such products, about (m²T²q + N²T²p)/2 multiply-adds; or the rows J_ik
 * themselves and J Jᵀ, about mTpq + m²pq/2. Few positions and wide layers ask for the former,
 * convolutions for the latter.
 */
final class Contraction {
  /** Entries of a part of J that is formed at a time. */
  static final long ROWS_ENTRIES = 1L << 24;

  /** Multiply-adds of a matrix product that take as long as one of the sums over pairs. */
  private static final double PAIR_COST = 16;

  private Contraction() {}

  /** Adds a block to the sum, by the cheaper way unless another is wanted. */
  static void add(JacobianBlock block, GramAccumulator sum, GramMethod method) {
    if (block instanceof JacobianBlock.Rows rows) {
      sum.addProduct(rows.jacobian());
    } else if (block instanceof JacobianBlock.Outer outer) {
      if (method == GramMethod.PAIRS || (method != GramMethod.ROWS && pairsAreCheaper(outer))) {
        addPairs(outer, sum);
      } else {
        addRows(outer, (jacobian, from, to) -> {}, sum, inputsAtATime(outer));
      }
    } else if (block instanceof JacobianBlock.Weighted weighted) {
      addRows(weighted.outer(), scaling(weighted), sum, inputsAtATime(weighted.outer()));
    } else if (block instanceof JacobianBlock.Projected projected) {
      addProjected(projected, sum);
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

  /** What is done to a part of J, the columns of the inputs from … to, q of each. */
  interface Change {
    void apply(INDArray jacobian, int from, int to);
  }

  /** Multiplies the columns with p × q roots. */
  private static Change scaling(JacobianBlock.Weighted weighted) {
    return (jacobian, from, to) -> {
      INDArray part = weighted.roots().get(NDArrayIndex.interval(from, to)).transpose().dup('c');
      jacobian.muliRowVector(part.reshape(part.length()));
    };
  }

  /** J Π is formed, since J Jᵀ − Σ (J ŵ)(J ŵ)ᵀ need not be positive where little is left. */
  private static void addProjected(JacobianBlock.Projected projected, GramAccumulator sum) {
    Directions directions = projected.directions();
    try (INDArray images = directions.images(projected.block())) {
      if (projected.block() instanceof JacobianBlock.Rows rows) {
        INDArray jacobian = rows.jacobian().dup('c');
        directions.take(jacobian, IntStream.range(0, rows.width()).toArray(), images);
        sum.addProduct(jacobian);
      } else if (projected.block() instanceof JacobianBlock.Weighted weighted) {
        Change scaling = scaling(weighted);
        addProjected(weighted.outer(), scaling, directions, images, sum);
      } else if (projected.block() instanceof JacobianBlock.Outer outer) {
        addProjected(outer, (jacobian, from, to) -> {}, directions, images, sum);
      }
    }
  }

  private static void addProjected(
      JacobianBlock.Outer outer,
      Change before,
      Directions directions,
      INDArray images,
      GramAccumulator sum) {
    int q = outer.deltaWidth();
    addRows(
        outer,
        (jacobian, from, to) -> {
          before.apply(jacobian, from, to);
          int[] columns =
              IntStream.range(0, q * (to - from))
                  .map(c -> (from + c % (to - from)) * q + c / (to - from))
                  .toArray();
          directions.take(jacobian, columns, images);
        },
        sum,
        inputsAtATime(outer));
  }

  private static int inputsAtATime(JacobianBlock.Outer outer) {
    long perInput = (long) outer.examples() * outer.columns() * outer.deltaWidth();
    int passes = (int) Math.max(1, outer.inputWidth() * perInput / ROWS_ENTRIES);
    return (outer.inputWidth() + passes - 1) / passes;
  }

  static boolean pairsAreCheaper(JacobianBlock.Outer outer) {
    if (outer.positions() == 1) {
      return true;
    }
    double n = outer.examples();
    double m = n * outer.columns();
    double t = outer.positions();
    double p = outer.inputWidth();
    double q = outer.deltaWidth();
    double pairs = t * t * (n * n * p + m * m * (q + PAIR_COST)) / 2;
    double rows = m * t * p * q + m * m * p * q / 2;
    return pairs < rows;
  }

  /** Sums over the pairs of positions. */
  static void addPairs(JacobianBlock.Outer outer, GramAccumulator sum) {
    INDArray deltas = outer.deltaRows();
    sum.addHadamard(outer.inputRows(), deltas, outer.positions(), outer.bias());
    if (deltas != outer.deltas()) {
      deltas.close();
    }
  }

  /** Forms J for some inputs at a time, and changes it. */
  static void addRows(JacobianBlock.Outer outer, Change change, GramAccumulator sum, int width) {
    int p = outer.inputWidth();
    long m = (long) outer.examples() * outer.columns();
    INDArray deltas =
        StackedColumns.exampleMajor(outer.deltas(), outer.examples(), outer.columns());
    long perInput = m * outer.deltaWidth();
    INDArray storage =
        Nd4j.createUninitialized(deltas.dataType(), new long[] {width * perInput}, 'c');
    MatrixProduct series = MatrixProduct.series();
    for (int from = 0; from < p; from += width) {
      int to = Math.min(p, from + width);
      INDArray jacobian =
          storage
              .get(NDArrayIndex.interval(0, (to - from) * perInput))
              .reshape('c', m, (long) (to - from) * outer.deltaWidth());
      fill(series, jacobian, outer, deltas, from, to);
      change.apply(jacobian, from, to);
      sum.addProduct(jacobian);
    }
    storage.close();
    if (outer.bias() > 0) {
      sum.addProduct(JacobianBlock.bias(outer).times(Math.sqrt(outer.bias())).jacobian());
    }
    if (deltas != outer.deltas()) {
      deltas.close();
    }
  }

  /** Writes J_ik = Δ_ikᵀ A_i, q × inputs from … to, for the columns of an example at once. */
  private static void fill(
      MatrixProduct series,
      INDArray jacobian,
      JacobianBlock.Outer outer,
      INDArray deltas,
      int from,
      int to) {
    long q = outer.deltaWidth();
    long k = outer.columns();
    long t = outer.positions();
    for (int i = 0; i < outer.examples(); i++) {
      INDArray rows = StackedColumns.get(jacobian, k, i).reshape('c', k * q, to - from).transpose();
      if (outer.channelsFirst()) {
        INDArray a =
            StackedColumns.get(outer.inputs(), 1, i)
                .reshape('c', outer.inputWidth(), t)
                .get(NDArrayIndex.interval(from, to));
        INDArray delta = StackedColumns.get(deltas, k, i).reshape('c', k * q, t);
        series.next(a, delta, rows, false, true);
      } else {
        INDArray a =
            StackedColumns.get(outer.inputs(), t, i)
                .get(NDArrayIndex.all(), NDArrayIndex.interval(from, to))
                .dup('c');
        for (long c = 0; c < k; c++) {
          INDArray delta = StackedColumns.get(deltas, t, i * k + c);
          INDArray target = rows.get(NDArrayIndex.all(), NDArrayIndex.interval(c * q, (c + 1) * q));
          series.next(a, delta, target, true, false);
        }
      }
    }
  }
}
