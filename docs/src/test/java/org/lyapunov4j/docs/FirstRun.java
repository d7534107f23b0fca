// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.docs;

// snippet: first-run
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.ops.transforms.Transforms;

public class FirstRun {
  public static void main(String[] args) {
    INDArray x = Nd4j.linspace(DataType.DOUBLE, -1, 2.0 / 19, 20).reshape(20, 1);
    DataSet data = new DataSet(x, Transforms.sin(x.mul(3)));
    DataSetIterator batches = new ListDataSetIterator<>(data.asList(), 5);
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.05))
                .activation(Activation.TANH)
                .list()
                .layer(new DenseLayer.Builder().nIn(1).nOut(30).build())
                .layer(new DenseLayer.Builder().nIn(30).nOut(20).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(20)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();

    LyapunovListener listener = LyapunovListener.builder(data).frequency(200).build();
    network.addListeners(listener);
    network.fit(batches, 500);
    listener.close();
    listener.history().forEach(System.out::println);
  }
}
// end
