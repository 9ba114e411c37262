"""Recurrent layers, their cells, and wrappers over time."""

from keras_fn.layers.rnn.bidirectional import Bidirectional as Bidirectional
from keras_fn.layers.rnn.gru import GRU as GRU, GRUCell as GRUCell
from keras_fn.layers.rnn.lstm import LSTM as LSTM, LSTMCell as LSTMCell
from keras_fn.layers.rnn.rnn import RNN as RNN
from keras_fn.layers.rnn.simple_rnn import SimpleRNN as SimpleRNN, SimpleRNNCell as SimpleRNNCell
from keras_fn.layers.rnn.stacked_rnn_cells import StackedRNNCells as StackedRNNCells
from keras_fn.layers.rnn.time_distributed import TimeDistributed as TimeDistributed
