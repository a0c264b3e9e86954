Feature: Search
  Scenario: Texts become vectors
    When I embed "What is the capital of France?"
    Then 1 embeddings come back
