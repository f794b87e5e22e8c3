"""An index in Milvus, a distributed vector database: publishing one there, and searching it."""
