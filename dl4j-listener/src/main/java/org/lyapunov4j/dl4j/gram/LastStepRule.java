// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.layers.recurrent.LastTimeStepLayer;
import org.deeplearning4j.util.TimeSeriesUtils;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The last time step of a recurrent layer, or the last that is not masked. */
final class LastStepRule extends LayerRule {
  private final Rule series;
  private final Layer layer;
  private final boolean channelsLast;
  private long[] shape;
  private int[] last;

  /**
   * A rule.
   *
   * @param layer the wrapper
   * @param series the rule of what it wraps
   */
  LastStepRule(LastTimeStepLayer layer, Rule series) {
    this.layer = layer.getUnderlying();
    this.series = series;
    channelsLast =
        TimeSeriesUtils.getFormatFromRnnLayer(this.layer.conf().getLayer()) == RNNFormat.NWC;
  }

  @Override
  public boolean isTrained() {
    return series.isTrained();
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    INDArray output = series.forward(examples, List.of(input));
    shape = output.shape();
    INDArray rows = TimeStepsRule.rows(output, channelsLast);
    int steps = (int) (rows.size(0) / shape[0]);
    INDArray mask = layer.getMaskArray();
    last = lastSteps(mask, steps);
    INDArray result = Nd4j.pullRows(rows, 1, last);
    // Deeplearning4j puts steps it found by a mask into an array of the default type
    return StackedColumns.packed(
        mask == null ? result : result.castTo(Nd4j.dataType()).castTo(input.dataType()));
  }

  /** The row of each series' last step that is not masked. */
  private int[] lastSteps(INDArray mask, int steps) {
    int[] rows = new int[(int) shape[0]];
    for (int i = 0; i < rows.length; i++) {
      int t = steps - 1;
      while (mask != null && t > 0 && mask.getDouble(i, t) == 0) {
        t--;
      }
      rows[i] = i * steps + t;
    }
    return rows;
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    long steps = shape[channelsLast ? 1 : 2];
    INDArray rows = Nd4j.zeros(epsilon.dataType(), epsilon.size(0) * steps, epsilon.size(1));
    for (int r = 0; r < epsilon.size(0); r++) {
      int i = r % last.length;
      long offset = (r - i) * steps;
      rows.putRow(offset + last[i], epsilon.getRow(r));
    }
    INDArray expanded = TimeStepsRule.series(rows, shape, channelsLast);
    return series.backward(expanded, propagate, blocks).get(0);
  }
}
