Feature: Capitals
  Scenario: It knows France
    When I ask the model "What is the capital of France?"
    Then the answer mentions "Paris"
