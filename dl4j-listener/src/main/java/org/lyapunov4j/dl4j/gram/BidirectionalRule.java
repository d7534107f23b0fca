// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.layers.recurrent.BidirectionalLayer;
import org.deeplearning4j.util.TimeSeriesUtils;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Two recurrent layers, one of which sees the series from its end; their outputs are combined. */
final class BidirectionalRule extends LayerRule {
  private final Layer layer;
  private final Layer forwardsLayer;
  private final Layer backwardsLayer;
  private final Rule forwards;
  private final Rule backwards;
  private final Bidirectional.Mode mode;
  private final boolean channelsLast;
  private INDArray first;
  private INDArray second;

  /**
   * A rule.
   *
   * @param layer the wrapper
   * @param rules makes the rules of the two layers
   */
  BidirectionalRule(BidirectionalLayer layer, LayerRules rules, String name) {
    this.layer = layer;
    Bidirectional conf = (Bidirectional) layer.conf().getLayer();
    mode = conf.getMode();
    channelsLast = conf.getRNNDataFormat() == RNNFormat.NWC;
    long half = layer.params().length() / 2;
    DataType type = layer.params().dataType();
    forwardsLayer = part(conf.getFwd(), 0, half, type);
    backwardsLayer = part(conf.getBwd(), half, 2 * half, type);
    forwards = rules.structured(forwardsLayer, name);
    backwards = rules.structured(backwardsLayer, name);
  }

  /** One of the two layers, which Deeplearning4j does not give away, on the same parameters. */
  private Layer part(
      org.deeplearning4j.nn.conf.layers.Layer conf, long from, long to, DataType type) {
    NeuralNetConfiguration whole = layer.conf().clone();
    whole.setLayer(conf);
    INDArray parameters = layer.params();
    return conf.instantiate(
        whole,
        new ArrayList<>(),
        layer.getIndex(),
        parameters.reshape(parameters.length()).get(NDArrayIndex.interval(from, to)),
        false,
        type);
  }

  @Override
  public boolean isTrained() {
    return forwards.isTrained() || backwards.isTrained();
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    INDArray mask = layer.getMaskArray();
    forwardsLayer.setMaskArray(mask);
    backwardsLayer.setMaskArray(TimeSeriesUtils.reverseTimeSeriesMask(mask));
    first = forwards.forward(examples, List.of(input));
    second = reversed(backwards.forward(examples, List.of(reversed(input))));
    return switch (mode) {
      case ADD -> first.add(second);
      case AVERAGE -> first.add(second).muli(0.5);
      case MUL -> first.mul(second);
      case CONCAT -> StackedColumns.packed(Nd4j.concat(channelsLast ? 2 : 1, first, second));
    };
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray toFirst = half(epsilon, 0, second);
    INDArray toSecond = reversed(half(epsilon, 1, first));
    INDArray one = forwards.backward(toFirst, propagate, blocks).get(0);
    INDArray other = backwards.backward(toSecond, propagate, blocks).get(0);
    return propagate ? one.add(reversed(other)) : null;
  }

  /** The derivatives with respect to one of the two outputs. */
  private INDArray half(INDArray epsilon, int which, INDArray other) {
    return switch (mode) {
      case ADD -> epsilon;
      case AVERAGE -> epsilon.mul(0.5);
      case MUL -> StackedColumns.map(epsilon, other.size(0), column -> column.muli(other));
      case CONCAT -> channels(epsilon, which).dup('c');
    };
  }

  private INDArray channels(INDArray epsilon, int which) {
    long width = epsilon.size(channelsLast ? 2 : 1) / 2;
    var interval = NDArrayIndex.interval(which * width, (which + 1) * width);
    return channelsLast
        ? epsilon.get(NDArrayIndex.all(), NDArrayIndex.all(), interval)
        : epsilon.get(NDArrayIndex.all(), interval);
  }

  private INDArray reversed(INDArray series) {
    INDArray rows = TimeStepsRule.rows(series, channelsLast);
    int steps = (int) series.size(channelsLast ? 1 : 2);
    int[] order = new int[(int) rows.size(0)];
    for (int r = 0; r < order.length; r++) {
      int t = r % steps;
      order[r] = r - t + steps - 1 - t;
    }
    INDArray turned = StackedColumns.packed(Nd4j.pullRows(rows, 1, order));
    return TimeStepsRule.series(turned, series.shape(), channelsLast);
  }
}
