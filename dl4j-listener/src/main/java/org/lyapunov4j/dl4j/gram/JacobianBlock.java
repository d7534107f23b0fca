// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The columns' derivatives with respect to one group of parameters, an m × P_l matrix, in the form
 * it arises in.
 */
sealed interface JacobianBlock {
  /** The number of examples. */
  int examples();

  /** The number of columns of each example. */
  int columns();

  /** The number of parameters, P_l. */
  int width();

  /** The same of some examples alone, in the order given. */
  JacobianBlock select(int[] which);

  /** The product J x for x of length P_l; m × 1, example-major. */
  INDArray outputs(INDArray x);

  /** The product Jᵀ v for v of length m, example-major; P_l numbers in 'c' order. */
  INDArray gradient(INDArray v);

  /** The product J Jᵀ v with the block's Gram matrix for v of length m, example-major; m × 1. */
  default INDArray gramTimes(INDArray v) {
    return outputs(gradient(v));
  }

  /** The block with all entries multiplied. */
  JacobianBlock times(double factor);

  /** The block of some columns, the others 0 or left out, or null if there are none. */
  default JacobianBlock only(boolean[] members) {
    double[] roots = new double[members.length];
    for (int p = 0; p < roots.length; p++) {
      roots[p] = members[p] ? 1 : 0;
    }
    return scaled(roots);
  }

  /** The block with column p multiplied by roots[p]; not all of them are equal. */
  JacobianBlock timesColumns(double[] roots);

  /** The block with column p multiplied by roots[p] ≥ 0, or null if they are all 0. */
  default JacobianBlock scaled(double[] roots) {
    double first = roots[0];
    for (double root : roots) {
      if (root != first) {
        return timesColumns(roots);
      }
    }
    return first == 0 ? null : first == 1 ? this : times(first);
  }

  /**
   * The Jacobian itself.
   *
   * @param examples N
   * @param jacobian J, m × P_l, example-major
   */
  record Rows(int examples, INDArray jacobian) implements JacobianBlock {
    @Override
    public Rows select(int[] which) {
      return new Rows(which.length, StackedColumns.select(jacobian, columns(), which));
    }

    /**
     * The block whose rows are sums over positions.
     *
     * @param examples N
     * @param positions T
     * @param stacked the terms of the sums, columns stacked: K·N·T × P_l
     */
    static Rows ofPositions(int examples, long positions, INDArray stacked) {
      long columns = stacked.size(0) / positions / examples;
      long width = stacked.size(1);
      INDArray ordered =
          stacked.reshape('c', columns, examples, positions, width).permute(1, 0, 2, 3);
      INDArray summed = positions == 1 ? ordered : ordered.dup('c').sum(2);
      return new Rows(examples, summed.dup('c').reshape('c', examples * columns, width));
    }

    @Override
    public int columns() {
      return (int) (jacobian.size(0) / examples);
    }

    @Override
    public int width() {
      return (int) jacobian.size(1);
    }

    @Override
    public Rows times(double factor) {
      return new Rows(examples, jacobian.mul(factor));
    }

    @Override
    public Rows timesColumns(double[] roots) {
      INDArray factors = Nd4j.createFromArray(roots).castTo(jacobian.dataType());
      return new Rows(examples, jacobian.mulRowVector(factors));
    }

    @Override
    public INDArray outputs(INDArray x) {
      return jacobian.mmul(x.reshape(x.length(), 1));
    }

    @Override
    public INDArray gradient(INDArray v) {
      return jacobian.transpose().mmul(v.reshape(v.length(), 1));
    }
  }

  /**
   * Sums of outer products over the positions of a layer, J_ik = Σ_t a_it δ_iktᵀ: the parameters
   * are a p × q matrix.
   *
   * @param examples N
   * @param positions T
   * @param channelsFirst whether positions run faster than channels
   * @param inputs A: N·T × p, or N × p × T with channels first
   * @param deltas Δ, columns stacked: K·N·T × q, or K·N × q × T
   * @param bias b ≥ 0; if positive, the parameters have a row p + 1, whose input is √b everywhere
   */
  record Outer(
      int examples,
      int positions,
      boolean channelsFirst,
      INDArray inputs,
      INDArray deltas,
      double bias)
      implements JacobianBlock {
    @Override
    public Outer select(int[] which) {
      int[] rows = new int[which.length * columns()];
      for (int r = 0; r < rows.length; r++) {
        rows[r] = r / which.length * examples + which[r % which.length];
      }
      long perExample = channelsFirst ? 1 : positions;
      return new Outer(
          which.length,
          positions,
          channelsFirst,
          StackedColumns.select(inputs, perExample, which),
          StackedColumns.select(deltas, perExample, rows),
          bias);
    }

    /** Without a bias. */
    Outer(int examples, int positions, boolean channelsFirst, INDArray inputs, INDArray deltas) {
      this(examples, positions, channelsFirst, inputs, deltas, 0);
    }

    @Override
    public int columns() {
      return (int) (deltas.size(0) / (channelsFirst ? examples : (long) examples * positions));
    }

    @Override
    public int width() {
      return Math.multiplyExact(inputWidth() + (bias > 0 ? 1 : 0), deltaWidth());
    }

    @Override
    public Outer times(double factor) {
      return new Outer(examples, positions, channelsFirst, inputs, deltas.mul(factor), bias);
    }

    /** The bias and all else, most often apart, need no copies of A. */
    @Override
    public JacobianBlock only(boolean[] members) {
      int weights = inputWidth() * deltaWidth();
      boolean bias = members.length > weights && members[weights];
      for (int p = 0; p < members.length; p++) {
        if (members[p] != (p < weights ? members[0] : bias)) {
          return JacobianBlock.super.only(members);
        }
      }
      if (!members[0]) {
        return bias ? JacobianBlock.bias(this).times(Math.sqrt(this.bias)) : null;
      }
      return bias || members.length == weights
          ? this
          : new Outer(examples, positions, channelsFirst, inputs, deltas, 0);
    }

    /** Weights that depend on the input alone go into A, any others need the rows of J. */
    @Override
    public JacobianBlock timesColumns(double[] roots) {
      int p = inputWidth();
      int q = deltaWidth();
      double[] ofInputs = new double[roots.length / q];
      for (int i = 0; i < roots.length; i++) {
        ofInputs[i / q] = roots[i / q * q];
        if (roots[i] != ofInputs[i / q]) {
          INDArray weights = Nd4j.createFromArray(roots).castTo(inputs.dataType());
          return new Weighted(withOnes(), weights.reshape('c', ofInputs.length, q));
        }
      }
      INDArray factors = Nd4j.createFromArray(Arrays.copyOf(ofInputs, p)).castTo(inputs.dataType());
      double ofBias = bias > 0 ? bias * ofInputs[p] * ofInputs[p] : 0;
      INDArray scaled =
          inputs.mul(channelsFirst ? factors.reshape(1, p, 1) : factors.reshape(1, p));
      return new Outer(examples, positions, channelsFirst, scaled, deltas, ofBias);
    }

    /** The same block with the bias' input among the others. */
    Outer withOnes() {
      if (bias == 0) {
        return this;
      }
      long[] shape = inputs.shape().clone();
      shape[1] = 1;
      INDArray ones = Nd4j.valueArrayOf(shape, Math.sqrt(bias), inputs.dataType());
      INDArray all = Nd4j.concat(1, inputs, ones).dup('c');
      return new Outer(examples, positions, channelsFirst, all, deltas);
    }

    int inputWidth() {
      return (int) inputs.size(1);
    }

    int deltaWidth() {
      return (int) deltas.size(1);
    }

    /** A as N·T × p. */
    INDArray inputRows() {
      return channelsFirst
          ? inputs.permute(0, 2, 1).dup('c').reshape('c', (long) examples * positions, inputWidth())
          : inputs;
    }

    /** Δ as N·K·T × q, example-major. */
    INDArray deltaRows() {
      int q = deltaWidth();
      INDArray ordered = StackedColumns.exampleMajor(deltas, examples, columns());
      if (channelsFirst && positions > 1) {
        ordered =
            ordered
                .reshape('c', (long) examples * columns(), q, positions)
                .permute(0, 2, 1)
                .dup('c');
      }
      return ordered.reshape('c', (long) examples * columns() * positions, q);
    }

    @Override
    public INDArray outputs(INDArray x) {
      int q = deltaWidth();
      INDArray matrix = x.dup('c').reshape(width() / q, q);
      INDArray image = inputRows().mmul(matrix.get(interval(0, inputWidth()), all())).dup('c');
      if (bias > 0) {
        INDArray last = matrix.get(interval(inputWidth(), inputWidth() + 1L), all());
        image.addiRowVector(last.mul(Math.sqrt(bias)));
      }
      image = inLayoutOfDeltas(image);
      INDArray products = Nd4j.createUninitialized(deltas.dataType(), examples, columns());
      INDArray packed = StackedColumns.packed(deltas);
      for (int k = 0; k < columns(); k++) {
        products.putColumn(k, ofColumn(packed, k).mul(image).sum(1));
      }
      return products.reshape('c', (long) examples * columns(), 1);
    }

    @Override
    public INDArray gradient(INDArray v) {
      int q = deltaWidth();
      INDArray factors = v.reshape('c', examples, columns());
      INDArray combined = Nd4j.zeros(deltas.dataType(), examples, (long) positions * q);
      INDArray packed = StackedColumns.packed(deltas);
      for (int k = 0; k < columns(); k++) {
        combined.addi(ofColumn(packed, k).mulColumnVector(factors.getColumn(k, true).dup()));
      }
      combined = inLayoutOfImages(combined);
      INDArray gradient = StackedColumns.times(inputRows().transpose(), combined);
      if (bias > 0) {
        INDArray last = combined.sum(true, 0).muli(Math.sqrt(bias));
        gradient = Nd4j.concat(0, gradient, last);
      }
      return gradient.dup('c').reshape(width());
    }

    /** Δ of one column as N × T·q, positions and channels in the order of Δ. */
    private INDArray ofColumn(INDArray packed, int k) {
      INDArray column = StackedColumns.get(packed, packed.size(0) / columns(), k);
      return column.reshape('c', examples, column.length() / examples);
    }

    /** N·T × q as N × T·q in the order of Δ. */
    private INDArray inLayoutOfDeltas(INDArray image) {
      INDArray ordered = image;
      if (channelsFirst) {
        ordered = image.reshape('c', examples, positions, deltaWidth()).permute(0, 2, 1).dup('c');
      }
      return ordered.reshape('c', examples, (long) positions * deltaWidth());
    }

    /** And back. */
    private INDArray inLayoutOfImages(INDArray ordered) {
      INDArray image = ordered;
      if (channelsFirst) {
        image = ordered.reshape('c', examples, deltaWidth(), positions).permute(0, 2, 1).dup('c');
      }
      return image.reshape('c', (long) examples * positions, deltaWidth());
    }
  }

  /**
   * Outer products with a weight for every parameter.
   *
   * @param outer J
   * @param roots what the columns of J are multiplied with, p × q
   */
  record Weighted(Outer outer, INDArray roots) implements JacobianBlock {
    @Override
    public Weighted select(int[] which) {
      return new Weighted(outer.select(which), roots);
    }

    @Override
    public int examples() {
      return outer.examples();
    }

    @Override
    public int columns() {
      return outer.columns();
    }

    @Override
    public int width() {
      return outer.width();
    }

    @Override
    public Weighted times(double factor) {
      return new Weighted(outer, roots.mul(factor));
    }

    @Override
    public Weighted timesColumns(double[] more) {
      INDArray factors = Nd4j.createFromArray(more).castTo(roots.dataType());
      return new Weighted(outer, roots.mul(factors.reshape('c', roots.shape())));
    }

    @Override
    public INDArray outputs(INDArray x) {
      return outer.outputs(x.mul(roots.reshape('c', x.shape())));
    }

    @Override
    public INDArray gradient(INDArray v) {
      INDArray gradient = outer.gradient(v);
      return gradient.muli(roots.reshape('c', gradient.shape()));
    }
  }

  /**
   * A block whose columns are projected.
   *
   * @param block J, of rows or of outer products without a bias of their own
   * @param directions what is taken out
   */
  record Projected(JacobianBlock block, Directions directions) implements JacobianBlock {
    static Projected of(JacobianBlock block, Directions directions) {
      return new Projected(block instanceof Outer outer ? outer.withOnes() : block, directions);
    }

    @Override
    public Projected select(int[] which) {
      return new Projected(block.select(which), directions);
    }

    @Override
    public int examples() {
      return block.examples();
    }

    @Override
    public int columns() {
      return block.columns();
    }

    @Override
    public int width() {
      return block.width();
    }

    @Override
    public Projected times(double factor) {
      return new Projected(block.times(factor), directions);
    }

    @Override
    public JacobianBlock timesColumns(double[] roots) {
      throw new IllegalStateException("columns are weighted before they are projected");
    }

    @Override
    public INDArray outputs(INDArray x) {
      return block.outputs(directions.project(x));
    }

    @Override
    public INDArray gradient(INDArray v) {
      return directions.project(block.gradient(v));
    }
  }

  /**
   * Rows of a table that are looked up at the positions of a layer, J_ik = Σ_t e_{index(i,t)}
   * δ_iktᵀ: the parameters are a p × q matrix, of which an example touches the rows of its own
   * indices alone.
   *
   * @param examples N
   * @param columns K
   * @param size p
   * @param deltaWidth q
   * @param type the type products are formed in
   * @param entries the rows of the table that are looked up
   */
  record Lookup(
      int examples, int columns, int size, int deltaWidth, DataType type, List<LookupEntry> entries)
      implements JacobianBlock {
    /**
     * The block of some indices.
     *
     * @param examples N
     * @param indices the index at each position, N·T
     * @param size p
     * @param deltas Δ, columns stacked, K·N·T × q
     */
    static Lookup of(int examples, int[] indices, int size, INDArray deltas) {
      int width = (int) deltas.size(1);
      double[] values = deltas.castTo(DataType.DOUBLE).dup('c').data().asDouble();
      return new Lookup(
          examples,
          (int) (deltas.size(0) / indices.length),
          size,
          width,
          deltas.dataType(),
          LookupEntry.of(indices, values, examples, width));
    }

    @Override
    public int width() {
      return Math.multiplyExact(size, deltaWidth);
    }

    @Override
    public Lookup times(double factor) {
      return map(entry -> entry.times(deltaWidth, c -> factor));
    }

    @Override
    public Lookup timesColumns(double[] roots) {
      return map(entry -> entry.times(deltaWidth, c -> roots[entry.index() * deltaWidth + c]));
    }

    @Override
    public Lookup select(int[] which) {
      List<LookupEntry> selected =
          entries.stream()
              .map(entry -> entry.select(which, columns * deltaWidth))
              .filter(entry -> entry.touching().length > 0)
              .toList();
      return new Lookup(which.length, columns, size, deltaWidth, type, selected);
    }

    private Lookup map(UnaryOperator<LookupEntry> change) {
      return new Lookup(
          examples, columns, size, deltaWidth, type, entries.stream().map(change).toList());
    }

    @Override
    public INDArray outputs(INDArray x) {
      double[] table = x.castTo(DataType.DOUBLE).dup('c').data().asDouble();
      double[] sum = new double[examples * columns];
      for (LookupEntry entry : entries) {
        entry.addOutputs(table, columns, deltaWidth, sum);
      }
      return Nd4j.createFromArray(sum).castTo(type).reshape('c', sum.length, 1);
    }

    @Override
    public INDArray gradient(INDArray v) {
      double[] vector = v.castTo(DataType.DOUBLE).dup().data().asDouble();
      double[] table = new double[width()];
      for (LookupEntry entry : entries) {
        entry.addGradient(vector, columns, deltaWidth, table);
      }
      return Nd4j.createFromArray(table).castTo(type);
    }

    /** Without the table's rows that no example looks up. */
    @Override
    public INDArray gramTimes(INDArray v) {
      double[] vector = v.castTo(DataType.DOUBLE).dup().data().asDouble();
      double[] sum = new double[vector.length];
      for (LookupEntry entry : entries) {
        entry.addGramTimes(vector, columns, sum);
      }
      return Nd4j.createFromArray(sum).castTo(type).reshape('c', sum.length, 1);
    }
  }

  /** The block of a bias added at every position: Σ_t δ_ikt. */
  static Rows bias(Outer outer) {
    return outer.channelsFirst()
        ? Rows.ofPositions(outer.examples(), 1, outer.deltas().sum(2).dup('c'))
        : Rows.ofPositions(outer.examples(), outer.positions(), outer.deltas());
  }
}
