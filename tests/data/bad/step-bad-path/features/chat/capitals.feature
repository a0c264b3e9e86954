Feature: Capitals
  Scenario: It answers in JSON
    When I ask "What is the capital of France? Answer in JSON."
    Then the reply's "cities[0" is "Paris"
