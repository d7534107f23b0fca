// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Stacking inputs that then share layers. Deeplearning4j stacks whole batches; here the stacked
 * rows of an example stay together as its positions, so that shared parameters add up before they
 * are squared.
 */
final class StackRule implements Rule {
  private int count;
  private long positions;

  @Override
  public INDArray forward(int examples, List<INDArray> inputs) {
    count = inputs.size();
    positions = inputs.get(0).size(0) / examples;
    INDArray[] blocks = new INDArray[count];
    for (int s = 0; s < count; s++) {
      blocks[s] = grouped(inputs.get(s), examples);
    }
    return ungrouped(Nd4j.concat(1, blocks), inputs.get(0));
  }

  @Override
  public List<INDArray> backward(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray groups = grouped(epsilon, epsilon.size(0) / (count * positions));
    List<INDArray> results = new ArrayList<>();
    for (int s = 0; s < count; s++) {
      results.add(ungrouped(part(groups, s, positions), epsilon));
    }
    return results;
  }

  /** Takes one of the stacked inputs out again. */
  static final class Unstack extends LayerRule {
    private final int from;
    private final int count;
    private long positions;

    Unstack(int from, int count) {
      this.from = from;
      this.count = count;
    }

    @Override
    INDArray forward(int examples, INDArray input) {
      positions = input.size(0) / examples / count;
      return ungrouped(part(grouped(input, examples), from, positions), input);
    }

    @Override
    INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
      long groups = epsilon.size(0) / positions;
      INDArray part = grouped(epsilon, groups);
      INDArray all = Nd4j.zeros(epsilon.dataType(), groups, positions * count, part.size(2));
      part(all, from, positions).assign(part);
      return ungrouped(all, epsilon);
    }
  }

  private static INDArray part(INDArray groups, long which, long positions) {
    return groups.get(
        NDArrayIndex.all(),
        NDArrayIndex.interval(which * positions, (which + 1) * positions),
        NDArrayIndex.all());
  }

  private static INDArray grouped(INDArray rows, long groups) {
    return StackedColumns.packed(rows)
        .reshape('c', groups, rows.size(0) / groups, rows.length() / rows.size(0));
  }

  private static INDArray ungrouped(INDArray groups, INDArray like) {
    long[] shape = like.shape().clone();
    shape[0] = groups.size(0) * groups.size(1);
    return groups.dup('c').reshape('c', shape);
  }
}
