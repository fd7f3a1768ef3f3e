"""Rows: X and y, which rows train and which are scored, and their preprocessing.

====================== ====================================================================
rows, datasets, blocks X and y read; datasets read batch by batch; large arrays block by block
folds                  rows split into training, stop and scored rows
weights                weights of rows and classes as one vector
preprocessing          transformers fitted on the training part of each fold
prepared_folds         folds with their preprocessing done, once per objective
====================== ====================================================================

NumPy, pandas and scikit-learn alone.
"""
